// SPDX-License-Identifier: Apache-2.0

/// Tells the unpacking which layers have arrived. A wait ends with the layer, or with the cancellation of its task.
actor Arrivals {
    private var isHere: [Bool]
    private var waiters: [Int: [CheckedContinuation<Void, Never>]] = [:]

    init(count: Int) { isHere = Array(repeating: false, count: count) }

    func arrived(_ index: Int) {
        isHere[index] = true
        release(index)
    }

    func wait(for index: Int) async throws {
        try Task.checkCancellation()
        guard !isHere[index] else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume()
                } else {
                    waiters[index, default: []].append(continuation)
                }
            }
        } onCancel: {
            // Lives for one hop to the actor.
            Task { await self.release(index) }
        }
        try Task.checkCancellation()
    }

    private func release(_ index: Int) {
        for waiter in waiters.removeValue(forKey: index) ?? [] { waiter.resume() }
    }
}

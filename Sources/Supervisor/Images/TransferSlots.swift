// SPDX-License-Identifier: Apache-2.0

/// How many layers move at a time, whichever pulls (or pushes) they belong to. Those that wait go in the order in which
/// they came.
actor TransferSlots {
    private var used = 0
    private var waiters: [(number: Int, limit: Int, continuation: CheckedContinuation<Void, Never>)] = []
    private var lastNumber = 0

    /// Runs a transfer once fewer than `limit` others run; a wait ends with the cancellation of its task, too.
    nonisolated func run<R: Sendable>(
        _ limit: Int, _ body: @Sendable () async throws -> R
    ) async throws -> R {
        try await take(limit)
        do {
            let result = try await body()
            await giveBack()
            return result
        } catch {
            await giveBack()
            throw error
        }
    }

    private func take(_ limit: Int) async throws {
        try Task.checkCancellation()
        guard used >= limit || !waiters.isEmpty else {
            used += 1
            return
        }
        lastNumber += 1
        let number = lastNumber
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled {
                    used += 1  // as if it had its turn: it gives it back at once
                    continuation.resume()
                } else {
                    waiters.append((number, limit, continuation))
                }
            }
        } onCancel: {
            // Lives for one hop to the actor.
            Task { await self.cancel(number) }
        }
        guard !Task.isCancelled else {
            giveBack()
            throw CancellationError()
        }
    }

    /// Whoever waits is let go with a turn.
    private func cancel(_ number: Int) {
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
        used += 1
        waiters.remove(at: index).continuation.resume()
    }

    private func giveBack() {
        used -= 1
        while let next = waiters.first, used < next.limit {
            used += 1
            waiters.removeFirst().continuation.resume()
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Operations on one process that must not overlap: each begins when the one before it has said that it is done.
final class OperationQueue {
    typealias Operation = (_ done: @escaping () -> Void) -> Void

    private var waiting: [Operation] = []
    private var busy = false

    init() {}

    func add(_ operation: @escaping Operation) {
        waiting.append(operation)
        next()
    }

    private func next() {
        guard !busy, !waiting.isEmpty else { return }
        busy = true
        let operation = waiting.removeFirst()
        operation { [self] in
            busy = false
            next()
        }
    }
}

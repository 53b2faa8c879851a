// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

/// Threads for file and database work that blocks, so that it never holds up the cooperative pool. Threads are started
/// as needed up to a limit and stay.
package final class BlockingPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var threads = 0
        var idle = 0
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let limit: Int

    /// Threads of deep recursion over hostile directory trees run here, hence the stack.
    private static let stackBytes = 8 << 20

    package init(threads limit: Int = 16) { self.limit = limit }

    /// Runs `body` on a thread of the pool. It is not interrupted when the task is cancelled.
    package func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result { try body() }) }
        }
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state in
            state.jobs.append(job)
            guard state.jobs.count > state.idle, state.threads < limit else { return false }
            state.threads += 1
            return true
        }
        if needsThread { detachThread(stackBytes: Self.stackBytes) { [self] in work() } }
        wake.signal()
    }

    private func work() {
        while true {
            state.withLock { $0.idle += 1 }
            wake.wait()
            let job = state.withLock { state in
                state.idle -= 1
                return state.jobs.isEmpty ? nil : state.jobs.removeFirst()
            }
            job?()
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Runs the operations of one container one after the other, in the order in which they were asked for.
///
/// An operation that has begun is never cut off: a client that goes away while its container starts must not leave
/// half a container.
final class OperationQueue: Sendable {
    private let tail = Mutex<Task<Void, Never>?>(nil)

    /// Adds an operation; the task ends with its result.
    @discardableResult
    func enqueue<Result: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Result
    ) -> Task<Result, any Error> {
        tail.withLock { tail in
            let before = tail
            // Owned by this queue; ends when the operation does.
            let task = Task {
                await before?.value
                return try await operation()
            }
            tail = Task { _ = await task.result }
            return task
        }
    }

    /// Waits for its turn; later operations wait until the result is released.
    func hold() async throws -> Hold {
        let (released, release) = AsyncStream.makeStream(of: Never.self)
        return try await withCheckedThrowingContinuation { continuation in
            enqueue {
                continuation.resume(returning: Hold(release))
                for await _ in released {}
            }
        }
    }

    /// The queue's owner, for as long as it is referred to.
    final class Hold: Sendable {
        private let release: AsyncStream<Never>.Continuation

        fileprivate init(_ release: AsyncStream<Never>.Continuation) { self.release = release }

        deinit { release.finish() }
    }

    func run<Result: Sendable>(_ operation: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await enqueue(operation).value
    }
}

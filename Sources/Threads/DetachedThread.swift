// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Starts a thread for blocking system calls, which must not hold up a thread of the concurrency runtime. It ends
/// when `body` returns; nobody joins it.
package func detachThread(stackBytes: Int = 256 << 10, _ body: @escaping @Sendable () -> Void) {
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    pthread_attr_init(attributes)
    defer {
        pthread_attr_destroy(attributes)
        attributes.deallocate()
    }
    pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(attributes, stackBytes)
    let argument = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    var thread = pthread_t()
    let result = pthread_create(&thread, attributes, runThreadBody, argument)
    precondition(result == 0, "pthread_create failed with \(result): the process is out of threads")
}

/// Runs `body` on a thread of its own and returns its result: for work that waits for others, which would keep a thread
/// of a `BlockingPool` from its owner. It is not interrupted when the task is cancelled.
package func runOnThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        detachThread(stackBytes: 1 << 20) { continuation.resume(with: Result { try body() }) }
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}

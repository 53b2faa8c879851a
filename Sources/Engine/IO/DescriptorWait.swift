// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Synchronization
import Threads

/// Suspends until the non-blocking descriptor can be read, or its peer is gone. It must stay open until this returns,
/// and only one task at a time may wait to read it.
package func waitUntilReadable(_ fd: CInt) async throws { try await DescriptorWaiter.reading.wait(fd) }

/// Suspends until the non-blocking descriptor can be written; one task at a time as well.
func waitUntilWritable(_ fd: CInt) async throws { try await DescriptorWaiter.writing.wait(fd) }

/// Waits for many descriptors with one thread that sleeps in epoll_wait(2). There is one of these for each direction,
/// because an epoll instance knows each descriptor only once.
private final class DescriptorWaiter: Sendable {
    static let reading = DescriptorWaiter([.readable, .halfClosed])
    static let writing = DescriptorWaiter([.writable])

    private struct Wait {
        var fd: CInt
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var waits: [UInt64: Wait] = [:]
        /// Cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
        var nextToken: UInt64 = 0
    }

    private let epoll: CInt
    private let interest: Readiness
    private let state = Mutex(State())

    private init(_ interest: Readiness) {
        self.interest = interest
        epoll = epoll_create1(0o2000000)  // EPOLL_CLOEXEC
        precondition(epoll >= 0, "epoll_create1 failed: the process is out of descriptors")
        detachThread { [self] in run() }  // lives as long as the process
    }

    func wait(_ fd: CInt) async throws {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in begin(token, Wait(fd: fd, continuation: continuation)) }
        } onCancel: {
            end(token, isCancellation: true)
        }
        _ = state.withLock { $0.cancelled.remove(token) }
        try Task.checkCancellation()
    }

    private func begin(_ token: UInt64, _ wait: Wait) {
        let isWaiting = state.withLock { state in
            if state.cancelled.remove(token) != nil { return false }
            var event = epoll_event()
            event.events = interest.rawValue | 1 << 30  // EPOLLONESHOT
            event.data.u64 = token
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, wait.fd, &event) == 0 else { return false }  // read(2) will tell
            state.waits[token] = wait
            return true
        }
        if !isWaiting { wait.continuation.resume() }
    }

    private func end(_ token: UInt64, isCancellation: Bool = false) {
        let wait = state.withLock { state -> Wait? in
            guard let wait = state.waits.removeValue(forKey: token) else {
                if isCancellation { state.cancelled.insert(token) }
                return nil
            }
            var event = epoll_event()
            epoll_ctl(epoll, EPOLL_CTL_DEL, wait.fd, &event)
            return wait
        }
        wait?.continuation.resume()
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll, &events, 64, -1)
            for index in 0..<max(0, Int(count)) { end(events[index].data.u64) }
        }
    }
}

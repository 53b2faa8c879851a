// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What a descriptor is waited for, or ready for (epoll_ctl(2)).
package struct Readiness: OptionSet, Sendable, Equatable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: 0x001)  // EPOLLIN
    package static let urgent = Readiness(rawValue: 0x002)  // EPOLLPRI
    package static let writable = Readiness(rawValue: 0x004)  // EPOLLOUT
    /// Reported whether asked for or not.
    package static let failed = Readiness(rawValue: 0x008)  // EPOLLERR
    /// Reported whether asked for or not.
    package static let hungUp = Readiness(rawValue: 0x010)  // EPOLLHUP
    /// The peer will send no more, though it may still read.
    package static let halfClosed = Readiness(rawValue: 0x2000)  // EPOLLRDHUP
}

/// An epoll instance: tells which of many descriptors are ready. Level triggered.
package struct Epoll: ~Copyable {
    package struct Event: Sendable {
        package var token: UInt64
        package var ready: Readiness
    }

    private let descriptor: OwnedFD

    package init() throws(SysError) {
        descriptor = OwnedFD(owning: try sys("epoll_create1") { epoll_create1(closeOnExec) })
    }

    /// Begins to watch `fd`; events carry `token`. Closing the descriptor's last copy ends it as well.
    package borrowing func add(_ fd: CInt, token: UInt64, _ interest: Readiness) throws(SysError) {
        try control(EPOLL_CTL_ADD, fd, token, interest)
    }

    package borrowing func modify(_ fd: CInt, token: UInt64, _ interest: Readiness) throws(SysError) {
        try control(EPOLL_CTL_MOD, fd, token, interest)
    }

    package borrowing func remove(_ fd: CInt) {
        _ = try? control(EPOLL_CTL_DEL, fd, 0, [])
    }

    /// Waits until something is ready, a signal arrives or the timeout is over (-1: none), and returns what is ready.
    package borrowing func wait(timeoutMilliseconds: CInt) throws(SysError) -> [Event] {
        let number = descriptor.raw
        return try withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) {
            (buffer) throws(SysError) -> [Event] in
            let count = try sys("epoll_wait") { epoll_wait(number, buffer.baseAddress, 64, timeoutMilliseconds) }
            return (0..<Int(count)).map { index in
                Event(token: buffer[index].data.u64, ready: Readiness(rawValue: buffer[index].events))
            }
        }
    }

    private borrowing func control(
        _ operation: CInt, _ fd: CInt, _ token: UInt64, _ interest: Readiness
    ) throws(SysError) {
        let number = descriptor.raw
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = token
        try sys("epoll_ctl") { epoll_ctl(number, operation, fd, &event) }
    }
}

/// EPOLL_CLOEXEC, which the C libraries declare in different ways.
private let closeOnExec: CInt = 0o2000000

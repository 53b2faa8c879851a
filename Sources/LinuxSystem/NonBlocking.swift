// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What one read or write on a non-blocking descriptor did.
package enum Transfer: Sendable, Equatable {
    case bytes(Int)
    /// Nothing now: wait until the descriptor is ready again.
    case wouldBlock
    /// End of file, or nobody is at the other end any more.
    case ended
}

/// One read(2). Errors count as the end: a pty whose last user is gone answers EIO, a socket ECONNRESET.
package func readNonBlocking(_ fd: borrowing OwnedFD, into buffer: inout [UInt8]) -> Transfer {
    let number = fd.raw
    let count = buffer.count
    while true {
        let result = buffer.withUnsafeMutableBytes { read(number, $0.baseAddress, count) }
        if result > 0 { return .bytes(result) }
        if result == 0 { return .ended }
        let errno = Errno.current
        if errno == .interrupted { continue }
        return errno == .wouldBlock ? .wouldBlock : .ended
    }
}

/// Whether everybody at the other end of a pipe, FIFO or socket has gone (POLLHUP).
package func isHungUp(_ fd: borrowing OwnedFD) -> Bool {
    var entry = pollfd(fd: fd.raw, events: 0, revents: 0)
    return poll(&entry, 1, 0) == 1 && entry.revents & 0x010 != 0
}

/// Whether a pipe or FIFO, of which `fd` is a write end, has bytes in it and nobody to read them.
package func holdsUnread(_ fd: borrowing OwnedFD) -> Bool {
    var entry = pollfd(fd: fd.raw, events: 0, revents: 0)
    var count: CInt = 0
    let hasNoReader = poll(&entry, 1, 0) == 1 && entry.revents & 0x008 != 0  // POLLERR
    return hasNoReader && swrun_ioctl_ptr(fd.raw, UInt(FIONREAD), &count) == 0 && count > 0
}

/// One writev(2) of as much as fits now of `head` and then `payload`. SIGPIPE must be blocked or ignored.
package func writeNonBlocking(
    _ fd: borrowing OwnedFD, _ head: [UInt8], _ payload: ArraySlice<UInt8>
) -> Transfer {
    let number = fd.raw
    while true {
        let result = head.withUnsafeBytes { first in
            payload.withUnsafeBytes { second in
                var parts = (iovec(reading: first), iovec(reading: second))
                return withUnsafeBytes(of: &parts) { parts in
                    writev(number, parts.bindMemory(to: iovec.self).baseAddress, 2)
                }
            }
        }
        if result >= 0 { return .bytes(result) }
        let errno = Errno.current
        if errno == .interrupted { continue }
        return errno == .wouldBlock ? .wouldBlock : .ended
    }
}

extension iovec {
    /// For calls that only read what it points to.
    fileprivate init(reading bytes: UnsafeRawBufferPointer) {
        self.init(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }
}

/// One write(2) of as many bytes as fit now. SIGPIPE must be blocked or ignored.
package func writeNonBlocking(_ fd: borrowing OwnedFD, _ bytes: ArraySlice<UInt8>) -> Transfer {
    let number = fd.raw
    while true {
        let result = bytes.withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
        if result >= 0 { return .bytes(result) }
        let errno = Errno.current
        if errno == .interrupted { continue }
        return errno == .wouldBlock ? .wouldBlock : .ended
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A file descriptor this value owns: closed exactly once, never copied.
///
/// `@usableFromInline` (here and on every noncopyable type with a `deinit`) is what makes Embedded Swift give the
/// `deinit` to other modules.
@usableFromInline package struct OwnedFD: ~Copyable, Sendable {
    private var fd: CInt  // -1 once given up (`discard self` does not exist in Embedded Swift's inlinable code)

    /// Takes ownership of `fd`, which the caller must not use again.
    package init(owning fd: CInt) {
        precondition(fd >= 0, "OwnedFD needs a valid descriptor")
        self.fd = fd
    }

    deinit { if fd >= 0 { _ = close(fd) } }

    /// The number, for the length of one call. Do not store it, and unwrap an optional descriptor first: where `fd?.raw`
    /// is the last use of a local one, it closes it.
    package var raw: CInt { fd }

    /// Gives up ownership, for handing the descriptor to a child or to C.
    package consuming func relinquish() -> CInt {
        let number = fd
        fd = -1
        return number
    }

    /// A second descriptor for the same open file, close-on-exec.
    package borrowing func duplicate() throws(SysError) -> OwnedFD { try OwnedFD(duplicating: fd) }

    /// A second descriptor for a file that somebody else has open as `number`, close-on-exec.
    package init(duplicating number: CInt) throws(SysError) {
        self.init(owning: try sys("fcntl(F_DUPFD_CLOEXEC)") { swrun_fcntl(number, F_DUPFD_CLOEXEC, 3) })
    }

    package borrowing func setNonBlocking(_ enabled: Bool = true) throws(SysError) {
        let number = fd
        let flags = try sys("fcntl(F_GETFL)") { swrun_fcntl(number, F_GETFL, 0) }
        let wanted = enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
        try sys("fcntl(F_SETFL)") { swrun_fcntl(number, F_SETFL, CLong(wanted)) }
    }

    /// `/proc/self/fd/N`: a path to the open file itself, for calls that have no descriptor form.
    package var procPath: FilePath { FilePath("/proc/self/fd/" + String(fd)) }
}

/// Closes it now, before its place goes out of scope.
package func close(_ descriptor: consuming OwnedFD) {}

/// The two ends of pipe2(2), close-on-exec. `@frozen` lets other modules take one of them.
@frozen @usableFromInline package struct Pipe: ~Copyable {
    package var read: OwnedFD
    package var write: OwnedFD

    package init() throws(SysError) {
        var ends: (CInt, CInt) = (-1, -1)
        try sys("pipe2") {
            withUnsafeMutablePointer(to: &ends) { pointer in
                pointer.withMemoryRebound(to: CInt.self, capacity: 2) { pipe2($0, O_CLOEXEC) }
            }
        }
        read = OwnedFD(owning: ends.0)
        write = OwnedFD(owning: ends.1)
    }
}

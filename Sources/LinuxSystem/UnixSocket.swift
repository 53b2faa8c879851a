// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// Stream sockets on filesystem paths of any length: sun_path holds 107 bytes, so a longer path is reached through a
/// descriptor of its directory (`/proc/self/fd/N/name`).
package enum UnixSocket {
    /// A listening socket at `path` with exactly `mode`; an existing socket file is replaced.
    package static func listen(
        _ path: FilePath, mode: mode_t = 0o600, backlog: CInt = 128
    ) throws(SysError) -> OwnedFD {
        let fd = try make()
        do throws(SysError) { try removeFile(path) } catch {
            if error.errno != .noSuchFile { throw error }
        }
        let number = fd.raw
        // bind(2) takes the socket's own mode, less the umask: never more than `mode`, from the first moment. Changing the
        // umask instead would change it for all threads.
        try sys("fchmod", path.string) { fchmod(number, mode) }
        try withShortPath(path) { (short) throws(SysError) in
            try sys("bind", path.string) { swrun_bind_unix(number, short) }
            try sys("chmod", path.string) { chmod(short, mode) }  // what the umask took away
        }
        try sys("listen", path.string) { CLinux.listen(number, backlog) }
        return fd
    }

    /// A datagram socket at `path` with exactly `mode`, which only its owner should be able to reach until then.
    package static func bindDatagram(_ path: FilePath, mode: mode_t) throws(SysError) -> OwnedFD {
        let fd = try make(datagrams: true)
        let number = fd.raw
        try withShortPath(path) { (short) throws(SysError) in
            try sys("bind", path.string) { swrun_bind_unix(number, short) }
            try sys("chmod", path.string) { chmod(short, mode) }
        }
        return fd
    }

    /// Connects to a stream socket, or one for datagrams. A path with `@` in front is an abstract name (unix(7)).
    package static func connect(_ path: FilePath, datagrams: Bool = false) throws(SysError) -> OwnedFD {
        let fd = try make(datagrams: datagrams)
        let number = fd.raw
        try withShortPath(path) { (short) throws(SysError) in
            try sys("connect", path.string) { swrun_connect_unix(number, short) }
        }
        return fd
    }

    /// accept4(2) with SOCK_CLOEXEC.
    package static func accept(_ listener: borrowing OwnedFD, nonBlocking: Bool = false) throws(SysError) -> OwnedFD {
        let number = listener.raw
        let flags = SOCK_CLOEXEC_FLAG | (nonBlocking ? SOCK_NONBLOCK_FLAG : 0)
        return OwnedFD(owning: try sys("accept4") { swrun_accept4(number, flags) })
    }

    /// A connected pair, close-on-exec; with `packets` each write is a message (SOCK_SEQPACKET).
    package static func pair(packets: Bool = false) throws(SysError) -> Pair {
        let type = packets ? SOCK_SEQPACKET_TYPE : SOCK_STREAM_TYPE
        var ends: (CInt, CInt) = (-1, -1)
        try sys("socketpair") {
            withUnsafeMutablePointer(to: &ends) { pointer in
                pointer.withMemoryRebound(to: CInt.self, capacity: 2) {
                    socketpair(AF_UNIX, type | SOCK_CLOEXEC_FLAG, 0, $0)
                }
            }
        }
        return Pair(OwnedFD(owning: ends.0), OwnedFD(owning: ends.1))
    }

    private static func make(datagrams: Bool = false) throws(SysError) -> OwnedFD {
        let type = datagrams ? SOCK_DGRAM_TYPE : SOCK_STREAM_TYPE
        return OwnedFD(owning: try sys("socket(AF_UNIX)") { socket(AF_UNIX, type | SOCK_CLOEXEC_FLAG, 0) })
    }

    private static func withShortPath(
        _ path: FilePath, _ body: (String) throws(SysError) -> Void
    ) throws(SysError) {
        if path.string.utf8.count < 107 { return try body(path.string) }
        let directory = try open(path.parent, O_PATH | O_DIRECTORY)
        return try body(directory.procPath.string + "/" + path.lastComponent)
    }
}

/// Two connected sockets. `@frozen` lets other modules take one of them.
@frozen @usableFromInline package struct Pair: ~Copyable {
    package var first: OwnedFD
    package var second: OwnedFD

    init(_ first: consuming OwnedFD, _ second: consuming OwnedFD) {
        self.first = first
        self.second = second
    }
}

// glibc's headers give these as enums, musl's as macros: the numbers of the x86-64 and arm64 ABI serve both.
package let SOCK_STREAM_TYPE: CInt = 1
package let SOCK_DGRAM_TYPE: CInt = 2
private let SOCK_SEQPACKET_TYPE: CInt = 5
package let SOCK_CLOEXEC_FLAG: CInt = 0o2000000
package let SOCK_NONBLOCK_FLAG: CInt = 0o4000

// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A pipe through which bytes move from one socket to another without being copied to user space (splice(2)).
package struct SplicePipe: ~Copyable {
    private static let capacity = 256 << 10

    private let pipe: Pipe
    /// What was taken from the source and not given on yet.
    package private(set) var held = 0

    package init() throws(SysError) {
        pipe = try Pipe()
        // Beyond the user's share of memory for pipes it stays as it is.
        _ = swrun_fcntl(pipe.write.raw, F_SETPIPE_SZ, CLong(Self.capacity))
    }

    /// Takes what can be read now, but not more than `limit` bytes. Only while nothing is held: a full pipe would look
    /// like an empty source.
    package mutating func fill(from source: borrowing OwnedFD, upTo limit: Int = .max) -> Transfer {
        let transfer = Self.splice(source, pipe.write, min(limit, Self.capacity))
        if case .bytes(let count) = transfer { held += count }
        return transfer
    }

    /// Gives on as much as `target` takes now.
    package mutating func drain(to target: borrowing OwnedFD) -> Transfer {
        let transfer = Self.splice(pipe.read, target, held)
        if case .bytes(let count) = transfer { held -= count }
        return transfer
    }

    private static func splice(
        _ source: borrowing OwnedFD, _ target: borrowing OwnedFD, _ length: Int
    ) -> Transfer {
        let (input, output) = (source.raw, target.raw)
        while true {
            let count = CLinux.splice(input, nil, output, nil, length, UInt32(SPLICE_F_MOVE | SPLICE_F_NONBLOCK))
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            let errno = Errno.current
            if errno == .interrupted { continue }
            return errno == .wouldBlock ? .wouldBlock : .ended
        }
    }
}

/// Moves `count` bytes of a file to a socket, waiting for the socket as long as it needs; returns how many went, which is
/// less at the end of the file and for files that cannot be spliced. The process ignores SIGPIPE from here on, since
/// splice(2) has no way to do without it.
package func spliceAll(
    _ file: borrowing OwnedFD, _ socket: borrowing OwnedFD, _ count: Int
) throws(SysError) -> Int {
    ignoreSignal(SIGPIPE)
    var pipe = try SplicePipe()
    var moved = 0
    while moved < count, case .bytes = pipe.fill(from: file, upTo: count - moved) {
        while pipe.held > 0 {
            switch pipe.drain(to: socket) {
            case .bytes(let some): moved += some
            case .wouldBlock: try waitWritable(socket.raw)
            case .ended: throw SysError("splice", "socket", .brokenPipe)
            }
        }
    }
    return moved
}

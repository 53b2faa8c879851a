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

    /// Takes what can be read now. Only while nothing is held: a full pipe would look like an empty source.
    package mutating func fill(from source: borrowing OwnedFD) -> Transfer {
        let transfer = Self.splice(source, pipe.write, Self.capacity)
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

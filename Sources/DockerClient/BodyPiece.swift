// SPDX-License-Identifier: Apache-2.0
import Glibc
package import LinuxSystem

/// A part of a body that is sent in chunks.
package enum BodyPiece {
    case bytes([UInt8])
    /// The next `count` bytes of a file, which are not copied where the kernel can move them.
    case file(OpenFile, count: Int)

    package var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, let count): count
        }
    }
}

/// An open file that is read from its offset on.
package final class OpenFile {
    let fd: OwnedFD
    let path: FilePath

    package init(_ path: FilePath) throws(SysError) {
        fd = try open(path, O_RDONLY)
        self.path = path
    }

    /// The next piece, of as many bytes as `left` says at most, which counts them down; nil when it is at 0.
    package func piece(of left: inout Int64) -> BodyPiece? {
        let count = min(left, 4 << 20)
        left -= count
        return count > 0 ? .file(self, count: Int(count)) : nil
    }
}

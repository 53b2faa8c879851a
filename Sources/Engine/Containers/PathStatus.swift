// SPDX-License-Identifier: Apache-2.0
import CLinux
package import JSON
package import LinuxSystem

/// What `HEAD /containers/{id}/archive` tells about a path inside a container (ContainerPathStat).
package struct PathStatus: Sendable, Equatable {
    package var name: String
    package var size: Int64
    /// The mode of stat(2).
    package var mode: UInt32
    package var modified: Timestamp
    /// Where a symbolic link leads; empty for anything else.
    package var linkTarget: String

    package var json: JSONValue {
        [
            "name": .string(name), "size": .int(size), "mode": .int(Int64(Self.goMode(mode))),
            "mtime": .string(modified.rfc3339()), "linkTarget": .string(linkTarget),
        ]
    }

    /// The mode in the numbers of Go's io/fs.FileMode, which the API passes on.
    package static func goMode(_ mode: UInt32) -> UInt32 {
        let kind: UInt32 =
            switch mode & UInt32(S_IFMT) {
            case UInt32(S_IFDIR): 1 << 31
            case UInt32(S_IFLNK): 1 << 27
            case UInt32(S_IFBLK): 1 << 26
            case UInt32(S_IFIFO): 1 << 25
            case UInt32(S_IFSOCK): 1 << 24
            case UInt32(S_IFCHR): 1 << 26 | 1 << 21
            default: 0
            }
        let special: [(bit: UInt32, go: UInt32)] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)]
        return special.reduce(kind | mode & 0o777) { mode & $1.bit == 0 ? $0 : $0 | $1.go }
    }
}

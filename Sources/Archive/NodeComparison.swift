// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Whether a name is the same node in two trees, as far as can be told without reading more than needed: the rules of
/// containerd's walking differ.
struct NodeComparison {
    let name: TreeName
    let upper: OwnedBox
    let lower: OwnedBox

    /// Mode, owner and device. For directories this is all that counts: their times say only that something in them
    /// changed, which is told by itself.
    static func hasSameAttributes(_ one: stat, _ other: stat) -> Bool {
        one.st_mode == other.st_mode && one.st_uid == other.st_uid && one.st_gid == other.st_gid
            && one.st_rdev == other.st_rdev
    }

    private static func isSameTime(_ one: stat, _ other: stat) -> Bool {
        one.st_mtim.tv_sec == other.st_mtim.tv_sec && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec
    }

    /// For anything but a directory.
    func isSame(_ one: stat, _ other: stat) throws -> Bool {
        guard Self.hasSameAttributes(one, other), one.st_size == other.st_size, Self.isSameTime(one, other),
            try attribute(in: upper) == attribute(in: lower)
        else { return false }
        if isSymbolicLink(one) {
            return try name.symbolicLinkTarget(in: upper.fd) == name.symbolicLinkTarget(in: lower.fd)
        }
        // Times without a fraction are what an unpacker or a build set: equal ones say little.
        if isRegularFile(one), one.st_mtim.tv_nsec == 0, one.st_size > 0 { return try hasSameContent() }
        return true
    }

    private func attribute(in directory: OwnedBox) throws(SysError) -> [UInt8]? {
        try name.extendedAttribute(Array("security.capability".utf8), in: directory.fd)
    }

    private func hasSameContent() throws(SysError) -> Bool {
        let one = try name.open(in: upper.fd, O_RDONLY | O_NONBLOCK)
        let other = try name.open(in: lower.fd, O_RDONLY | O_NONBLOCK)
        while true {
            let bytes = try readSome(one, upTo: 1 << 17)
            if try bytes != readSome(other, upTo: 1 << 17) { return false }
            if bytes.isEmpty { return true }
        }
    }
}

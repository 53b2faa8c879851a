// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Tar

// System calls on `directory descriptor + one name`, where the name is bytes rather than text: file names in layers
// need not be UTF-8. A name has no slash, so nothing but the last component is ever resolved, and symbolic links are
// not followed.

/// A descriptor that a tuple or an array can hold.
final class OwnedBox: Sendable {
    let fd: OwnedFD
    init(_ fd: consuming OwnedFD) { self.fd = fd }
}

/// The file types of `st_mode`.
enum NodeType {
    static let mask: mode_t = 0o170000
    static let fifo: mode_t = 0o010000
    static let characterDevice: mode_t = 0o020000
    static let blockDevice: mode_t = 0o060000
    static let directory: mode_t = 0o040000
    static let regular: mode_t = 0o100000
    static let symbolicLink: mode_t = 0o120000
}

/// Whether this is overlay's whiteout, a 0:0 character device.
func isWhiteoutDevice(_ info: stat) -> Bool {
    info.st_mode & NodeType.mask == NodeType.characterDevice && info.st_rdev == 0
}

/// A name in an open directory.
struct TreeName: Sendable {
    let bytes: [CChar]
    let display: String

    init(_ name: [UInt8]) {
        bytes = EntryPath.cString(name)
        display = String(decoding: name, as: UTF8.self)
    }

    /// The node's status, or nil if there is none.
    func status(in directory: borrowing OwnedFD) throws(SysError) -> stat? {
        let fd = directory.raw
        var info = stat()
        do throws(SysError) {
            try sys("fstatat", display) { fstatat(fd, bytes, &info, AT_SYMLINK_NOFOLLOW) }
        } catch {
            guard error.errno == .noSuchFile else { throw error }
            return nil
        }
        return info
    }

    func open(in directory: borrowing OwnedFD, _ flags: CInt, mode: mode_t = 0) throws(SysError) -> OwnedFD {
        let fd = directory.raw
        return OwnedFD(
            owning: try sys("openat", display) { swrun_openat(fd, bytes, flags | O_NOFOLLOW | O_CLOEXEC, mode) })
    }

    func makeDirectory(in directory: borrowing OwnedFD, mode: mode_t) throws(SysError) {
        let fd = directory.raw
        try sys("mkdirat", display) { mkdirat(fd, bytes, mode) }
    }

    func makeSymbolicLink(in directory: borrowing OwnedFD, to target: [UInt8]) throws(SysError) {
        let fd = directory.raw
        let text = EntryPath.cString(target)
        try sys("symlinkat", display) { symlinkat(text, fd, bytes) }
    }

    func makeNode(
        in directory: borrowing OwnedFD, mode: mode_t, major: UInt32 = 0, minor: UInt32 = 0
    ) throws(SysError) {
        let fd = directory.raw
        let device = swrun_makedev(major, minor)
        try sys("mknodat", display) { mknodat(fd, bytes, mode, device) }
    }

    /// linkat(2); a symbolic link is linked itself, not followed.
    func link(
        in directory: borrowing OwnedFD, to target: TreeName, in targetDirectory: borrowing OwnedFD
    ) throws(SysError) {
        let fd = directory.raw
        let from = targetDirectory.raw
        try sys("linkat", display) { linkat(from, target.bytes, fd, bytes, 0) }
    }

    func remove(in directory: borrowing OwnedFD, isDirectory: Bool) throws(SysError) {
        let fd = directory.raw
        try sys("unlinkat", display) { unlinkat(fd, bytes, isDirectory ? AT_REMOVEDIR : 0) }
    }

    func setOwner(in directory: borrowing OwnedFD, uid: UInt32, gid: UInt32) throws(SysError) {
        let fd = directory.raw
        try sys("fchownat", display) { fchownat(fd, bytes, uid, gid, AT_SYMLINK_NOFOLLOW) }
    }

    /// chmod of what is no symbolic link, by its own descriptor: fchmodat(2) would follow a link that took its place.
    func setMode(in directory: borrowing OwnedFD, _ mode: mode_t) throws(SysError) {
        let node = try open(in: directory, O_PATH)
        let path = node.procPath.string
        try sys("chmod", display) { chmod(path, mode) }
    }

    func setModified(in directory: borrowing OwnedFD, _ time: TarEntry.Time) throws(SysError) {
        let fd = directory.raw
        let stamp = timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
        let times = [stamp, stamp]
        try sys("utimensat", display) { utimensat(fd, bytes, times, AT_SYMLINK_NOFOLLOW) }
    }

    /// lsetxattr(2), by way of /proc: the call has no form with a directory descriptor.
    func setExtendedAttribute(
        in directory: borrowing OwnedFD, _ attribute: TarEntry.ExtendedAttribute
    ) throws(SysError) {
        let path = procPath(in: directory)
        let name = EntryPath.cString(attribute.name)
        try sys("lsetxattr", display) {
            attribute.value.withUnsafeBytes { lsetxattr(path, name, $0.baseAddress, $0.count, 0) }
        }
    }
}

// MARK: Reading

extension TreeName {
    /// The target of a symbolic link.
    func symbolicLinkTarget(in directory: borrowing OwnedFD) throws(SysError) -> [UInt8] {
        let fd = directory.raw
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try sys("readlinkat", display) { readlinkat(fd, bytes, &buffer, buffer.count) }
        return buffer.prefix(count).map { UInt8(bitPattern: $0) }
    }

    /// The path of the name by way of /proc, for calls that have no form with a directory descriptor.
    func procPath(in directory: borrowing OwnedFD) -> [CChar] {
        Array(directory.procPath.string.utf8CString.dropLast()) + [CChar(bitPattern: 0x2f)] + bytes
    }

    /// The names of the extended attributes; none where the file system has no such thing.
    func extendedAttributeNames(in directory: borrowing OwnedFD) throws(SysError) -> [[UInt8]] {
        let path = procPath(in: directory)
        guard let list = try Self.attributeBytes("llistxattr", display, { llistxattr(path, $0, $1) }) else { return [] }
        return list.split(separator: 0).map { Array($0) }
    }

    /// The value of an extended attribute; nil if there is none.
    func extendedAttribute(_ name: [UInt8], in directory: borrowing OwnedFD) throws(SysError) -> [UInt8]? {
        let path = procPath(in: directory)
        let text = EntryPath.cString(name)
        return try Self.attributeBytes("lgetxattr", display) { lgetxattr(path, text, $0, $1) }
    }

    /// Calls once with room that is mostly enough, and again with the room that is needed.
    private static func attributeBytes(
        _ operation: String, _ subject: String, _ call: (UnsafeMutablePointer<CChar>?, Int) -> Int
    ) throws(SysError) -> [UInt8]? {
        for room in [1024, 1 << 16] {
            var buffer = [CChar](repeating: 0, count: room)
            do throws(SysError) {
                let count = try sys(operation, subject) { call(&buffer, buffer.count) }
                return buffer.prefix(count).map { UInt8(bitPattern: $0) }
            } catch {
                switch error.errno {
                case .noData, .notSupported, .noSuchFile: return nil
                case .outOfRange where room == 1024: continue
                default: throw error
                }
            }
        }
        return nil
    }
}

/// openat2(2) of a path below `root` for the sake of its identity, every component confined to the root, and to its
/// file system unless it may cross mounts.
func openDirectory(
    _ root: borrowing OwnedFD, _ path: EntryPath, crossingMounts: Bool = false
) throws(SysError) -> OwnedFD {
    try openInRoot(
        root, bytes: path.cString, O_PATH | O_DIRECTORY, crossingMounts: crossingMounts, path.display)
}

/// The names in a directory as bytes.
func names(in directory: borrowing OwnedFD) throws(SysError) -> [[UInt8]] {
    var names: [[UInt8]] = []
    try forEachEntry(of: directory.raw, FilePath("")) { name in
        names.append(Array(UnsafeRawBufferPointer(start: name, count: strlen(name))))
    }
    return names
}

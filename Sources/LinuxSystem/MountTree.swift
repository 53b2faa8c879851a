// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What a mount allows (mount_setattr(2), MOUNT_ATTR_*).
package struct MountAttributes: OptionSet, Sendable, Equatable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountAttributes(rawValue: 0x1)
    package static let noSuid = MountAttributes(rawValue: 0x2)
    package static let noDev = MountAttributes(rawValue: 0x4)
    package static let noExec = MountAttributes(rawValue: 0x8)
    package static let noAccessTime = MountAttributes(rawValue: 0x10)
    package static let strictAccessTime = MountAttributes(rawValue: 0x20)
    /// The mask of the access time modes; clearing it is what setting any of them needs.
    package static let accessTimeMask = MountAttributes(rawValue: 0x70)
    package static let noDirectoryAccessTime = MountAttributes(rawValue: 0x80)
    package static let noSymlinkFollow = MountAttributes(rawValue: 0x20_0000)
}

/// How mount events spread to other mounts (mount_namespaces(7)).
package enum MountPropagation: UInt64, Sendable, Equatable {
    case shared = 0x10_0000  // MS_SHARED
    case slave = 0x8_0000  // MS_SLAVE
    case isPrivate = 0x4_0000  // MS_PRIVATE
    case unbindable = 0x2_0000  // MS_UNBINDABLE
}

/// A mount that is not attached anywhere yet, or a copy of one: built and restricted by descriptor, then attached, so
/// that nobody sees it half made and no path is looked up twice.
package struct MountTree: ~Copyable {
    package let fd: OwnedFD

    package init(_ fd: consuming OwnedFD) { self.fd = fd }

    /// A copy of what is mounted at `path` of the host, with everything below it if `recursive`.
    package static func clone(path: FilePath, recursive: Bool) throws(SysError) -> MountTree {
        let flags = openTreeClone | (recursive ? atRecursive : 0)
        return MountTree(
            OwnedFD(owning: try sys("open_tree", path.string) { swrun_open_tree(AT_FDCWD, path.string, flags) }))
    }

    /// A copy of what the open file or directory is.
    package static func clone(of file: borrowing OwnedFD, recursive: Bool = false) throws(SysError) -> MountTree {
        let number = file.raw
        let flags = openTreeClone | atEmptyPath | (recursive ? atRecursive : 0)
        return MountTree(OwnedFD(owning: try sys("open_tree") { swrun_open_tree(number, "", flags) }))
    }

    /// A new file system of this type; an option is `key` or `key=value`.
    package static func new(
        type: String, source: String, options: [String], attributes: MountAttributes = []
    ) throws(SysError) -> MountTree {
        let context = OwnedFD(owning: try sys("fsopen", type) { swrun_fsopen(type) })
        let number = context.raw
        func configure(_ command: UInt32, _ key: String?, _ value: String?) throws(SysError) {
            let subject = key.map { type + " " + $0 } ?? type
            let call = {
                withOptionalText(key) { key in withOptionalText(value) { swrun_fsconfig(number, command, key, $0) } }
            }
            try sys("fsconfig", subject, hint: { _ in kernelMessage(number) }, call)
        }
        if !source.isEmpty { try configure(fsconfigSetString, "source", source) }
        for option in options {
            guard let equals = option.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                try configure(fsconfigSetFlag, option, nil)
                continue
            }
            try configure(
                fsconfigSetString, String(option[..<equals]), String(option[option.utf8.index(after: equals)...]))
        }
        try configure(fsconfigCreate, nil, nil)
        let mount = try sys("fsmount", type) { swrun_fsmount(number, UInt32(attributes.rawValue)) }
        return MountTree(OwnedFD(owning: mount))
    }

    /// Sets and clears attributes, of everything below as well if `recursive`.
    package borrowing func change(
        set: MountAttributes = [], clear: MountAttributes = [], propagation: MountPropagation? = nil,
        recursive: Bool = false
    ) throws(SysError) {
        try changeMount(fd, set: set, clear: clear, propagation: propagation, recursive: recursive)
    }

    /// Attaches it on the open file or directory. A directory on a file, or a file on a directory, fails with ENOTDIR, as
    /// in mount(2).
    package borrowing func attach(on target: borrowing OwnedFD) throws(SysError) {
        let from = fd.raw
        let to = target.raw
        do throws(SysError) { try sys("move_mount") { swrun_move_mount(from, to) } } catch {
            guard error.errno == .invalidArgument, let root = try? status(fd), let place = try? status(target),
                isDirectory(root) != isDirectory(place)
            else { throw error }
            throw SysError("move_mount", "", .notDirectory)
        }
    }
}

/// mount_setattr(2) on the mount that the descriptor is the root of.
package func changeMount(
    _ fd: borrowing OwnedFD, set: MountAttributes = [], clear: MountAttributes = [],
    propagation: MountPropagation? = nil, recursive: Bool = false
) throws(SysError) {
    let number = fd.raw
    try sys("mount_setattr") {
        swrun_mount_setattr(number, recursive ? 1 : 0, set.rawValue, clear.rawValue, propagation?.rawValue ?? 0)
    }
}

/// The attributes of the mount that the open file is on, or of its file system, as far as statvfs(3) has them.
package func attributes(of fd: borrowing OwnedFD) throws(SysError) -> MountAttributes {
    let number = fd.raw
    var info = statvfs()
    try sys("fstatvfs") { fstatvfs(number, &info) }
    let known: [(UInt, MountAttributes)] = [
        (0x1, .readOnly), (0x2, .noSuid), (0x4, .noDev), (0x8, .noExec), (0x400, .noAccessTime),
        (0x800, .noDirectoryAccessTime), (0x2000, .noSymlinkFollow),
    ]
    var found: MountAttributes = []
    for (flag, attribute) in known where UInt(info.f_flag) & flag != 0 { found.formUnion(attribute) }
    if info.f_flag & 0x1400 == 0 { found.formUnion(.strictAccessTime) }  // neither ST_NOATIME nor ST_RELATIME
    return found
}

private let openTreeClone: UInt32 = 0x1 | 0o2000000  // OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC
private let atRecursive: UInt32 = 0x8000
private let atEmptyPath: UInt32 = 0x1000
private let fsconfigSetFlag: UInt32 = 0
private let fsconfigSetString: UInt32 = 1
private let fsconfigCreate: UInt32 = 6

/// What the kernel has to say about a failed fsconfig(2): lines such as `e tmpfs: Bad value for 'size'`.
private func kernelMessage(_ context: CInt) -> String? {
    var buffer = [UInt8](repeating: 0, count: 512)
    let count = buffer.withUnsafeMutableBytes { read(context, $0.baseAddress, $0.count) }
    guard count > 2 else { return nil }
    return String(decoding: buffer[2..<count], as: UTF8.self)
}

private func withOptionalText<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

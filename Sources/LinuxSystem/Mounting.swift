// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The flags of mount(2) that mount options stand for.
package struct MountFlags: OptionSet, Sendable, Equatable {
    package let rawValue: UInt

    package init(rawValue: UInt) { self.rawValue = rawValue }

    package static let readOnly = MountFlags(rawValue: 1)
    package static let noSetUID = MountFlags(rawValue: 2)
    package static let noDevices = MountFlags(rawValue: 4)
    package static let noExec = MountFlags(rawValue: 8)
    package static let synchronous = MountFlags(rawValue: 16)
    package static let remount = MountFlags(rawValue: 32)
    package static let noAccessTime = MountFlags(rawValue: 1024)
    package static let noDirectoryAccessTime = MountFlags(rawValue: 2048)
    package static let bind = MountFlags(rawValue: 4096)
    package static let recursive = MountFlags(rawValue: 16384)
    package static let relativeAccessTime = MountFlags(rawValue: 1 << 21)
    package static let strictAccessTime = MountFlags(rawValue: 1 << 24)
}

/// mount(2). `data` must be shorter than a page.
package func mount(
    _ source: String, on target: FilePath, type: String, flags: MountFlags = [], data: String = ""
) throws(SysError) {
    try sys("mount " + type, target.string) {
        CLinux.mount(source, target.string, type, flags.rawValue, data.utf8.isEmpty ? nil : data)
    }
}

/// umount2(2) with MNT_DETACH: gone from the tree at once, released when nobody uses it any more. What is not mounted
/// is fine; of several mounts on top of one another all are taken away.
package func unmountAll(_ path: FilePath) throws(SysError) {
    while true {
        do throws(SysError) {
            let flags: CInt = 2 | 8  // MNT_DETACH | UMOUNT_NOFOLLOW
            try sys("umount", path.string) { umount2(path.string, flags) }
        } catch {
            if error.errno == .invalidArgument || error.errno == .noSuchFile { return }
            throw error
        }
    }
}

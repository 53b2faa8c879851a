// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import ShimAPI

/// What the options of a mount come to: flags for the kernel's generic code, the rest for the file system.
struct MountOptions: Sendable, Equatable {
    var flags: LinuxSystem.MountFlags = []
    var data: [String] = []

    init(_ options: [String]) {
        for option in options {
            if let flag = Self.flag(option) {
                flags.insert(flag)
            } else if !["rw", "defaults", "suid", "dev", "exec", "async", "atime", "diratime"].contains(option) {
                data.append(option)
            }
        }
    }

    private static func flag(_ option: String) -> LinuxSystem.MountFlags? {
        switch option {
        case "ro": .readOnly
        case "nosuid": .noSetUID
        case "nodev": .noDevices
        case "noexec": .noExec
        case "sync": .synchronous
        case "noatime": .noAccessTime
        case "nodiratime": .noDirectoryAccessTime
        case "relatime": .relativeAccessTime
        case "strictatime": .strictAccessTime
        case "bind": .bind
        case "rbind": [.bind, .recursive]
        default: nil
        }
    }
}

/// Puts a container's root file system together in its bundle, and takes it apart.
enum RootFilesystem {
    static func mount(_ mounts: [Mount], at root: FilePath) throws(SysError) {
        guard !mounts.isEmpty else { return }
        try makeDirectory(root, mode: 0o711)
        do throws(SysError) {
            for mount in mounts { try attach(mount, below: root) }
        } catch {
            _ = try? unmountAll(root)
            throw error
        }
    }

    static func unmount(_ root: FilePath) throws(SysError) { try unmountAll(root) }

    private static func attach(_ mount: Mount, below root: FilePath) throws(SysError) {
        let options = MountOptions(mount.options)
        let target = mount.target.utf8.isEmpty ? root : root / mount.target
        let data = options.data.joined(separator: ",")
        if mount.type == "overlay" && data.utf8.count >= 4095 {
            return try attachLongOverlay(options, on: target)  // mount(2) takes one page of options
        }
        try LinuxSystem.mount(mount.source, on: target, type: mount.type, flags: options.flags, data: data)
        // A bind mount takes its other flags only when it is changed afterwards (mount(2), "Creating a bind mount").
        let changed = options.flags.subtracting([.bind, .recursive])
        if options.flags.contains(.bind) && !changed.isEmpty {
            let flags = changed.union([.bind, .remount])
            try LinuxSystem.mount("none", on: target, type: "", flags: flags)
        }
    }

    /// Through fsopen(2), where each lower directory is an option of its own (`lowerdir+`, Linux 6.5).
    private static func attachLongOverlay(_ options: MountOptions, on target: FilePath) throws(SysError) {
        var separate: [String] = []
        for option in options.data {
            guard option.utf8.starts(with: "lowerdir=".utf8) else {
                separate.append(option)
                continue
            }
            let list = option.utf8.dropFirst(9).split(separator: UInt8(ascii: ":"))
            separate += list.map { "lowerdir+=" + String(Substring($0)) }
        }
        if options.flags.contains(.readOnly) { separate.append("ro") }
        let tree = try MountTree.new(type: "overlay", source: "overlay", options: separate)
        try tree.attach(on: try LinuxSystem.open(target, O_PATH | O_DIRECTORY))
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What the options of a mount come to: flags for the kernel's generic code, the rest for the file system.
package struct MountCall: Sendable, Equatable {
    package var flags: MountFlags = []
    package var data: [String] = []

    package init(_ options: [String]) {
        for option in options {
            if let flag = Self.flag(option) {
                flags.insert(flag)
            } else if !["rw", "defaults", "suid", "dev", "exec", "async", "atime", "diratime"].contains(option) {
                data.append(option)
            }
        }
    }

    private static func flag(_ option: String) -> MountFlags? {
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

/// Mounts as mount(8) does: options as they stand in fstab, also more of an overlay's than mount(2) takes, and flags of a
/// bind mount.
package func mount(
    _ source: String, on target: FilePath, type: String, options: [String]
) throws(SysError) {
    let call = MountCall(options)
    let data = call.data.joined(separator: ",")
    if type == "overlay" && data.utf8.count >= 4095 {
        return try mountLongOverlay(call, on: target)  // mount(2) takes one page of options
    }
    try mount(source, on: target, type: type, flags: call.flags, data: data)
    // A bind mount takes its other flags only when it is changed afterwards (mount(2), "Creating a bind mount").
    let changed = call.flags.subtracting([.bind, .recursive])
    if call.flags.contains(.bind) && !changed.isEmpty {
        try mount("none", on: target, type: "", flags: changed.union([.bind, .remount]))
    }
}

/// Through fsopen(2), where each lower directory is an option of its own (`lowerdir+`, Linux 6.5).
private func mountLongOverlay(_ call: MountCall, on target: FilePath) throws(SysError) {
    var separate: [String] = []
    for option in call.data {
        guard option.utf8.starts(with: "lowerdir=".utf8) else {
            separate.append(option)
            continue
        }
        let list = option.utf8.dropFirst(9).split(separator: UInt8(ascii: ":"))
        separate += list.map { "lowerdir+=" + String(Substring($0)) }
    }
    if call.flags.contains(.readOnly) { separate.append("ro") }
    let tree = try MountTree.new(type: "overlay", source: "overlay", options: separate)
    try tree.attach(on: try open(target, O_PATH | O_DIRECTORY))
}

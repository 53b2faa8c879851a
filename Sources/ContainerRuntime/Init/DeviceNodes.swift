// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

extension RootBuilder {
    /// The nodes of the plan and the links that every container has.
    borrowing func makeDevices() throws(RuntimeError) {
        guard plan.populatesDev else { return }
        let old = umask(0)
        defer { _ = umask(old) }
        let dev = try step("open /dev") { () throws(SysError) in try makeDirectoriesInRoot(root, "/dev") }
        for device in plan.devices {
            try step("create device " + device.path) { () throws(SysError) in
                let path = FilePath(device.path)
                if path.parent.string == "/dev" { return try make(device, in: dev, path.lastComponent) }
                try make(device, in: try makeDirectoriesInRoot(root, path.parent.string), path.lastComponent)
            }
        }
        for (link, target) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ] {
            try step("link /dev/" + link) { () throws(SysError) in try makeLink(link, target, in: dev) }
        }
        if exists(FilePath("/proc/kcore")) {
            try step("link /dev/core") { () throws(SysError) in try makeLink("core", "/proc/kcore", in: dev) }
        }
    }

    private borrowing func makeLink(
        _ name: String, _ target: String, in dev: borrowing OwnedFD
    ) throws(SysError) {
        let number = dev.raw
        if symlinkat(target, number, name) == 0 { return }
        if Errno.current != .exists { throw SysError("symlinkat", name, .current) }
        if name == "ptmx" {  // an image's own node would open a pty of the host
            try sys("unlinkat", name) { unlinkat(number, name, 0) }
            try sys("symlinkat", name) { symlinkat(target, number, name) }
        }
    }

    private borrowing func make(
        _ device: DevicePlan, in parent: borrowing OwnedFD, _ name: String
    ) throws(SysError) {
        if plan.bindsDevices { return try bindHostDevice(device, parent, name) }
        let number = parent.raw
        let id = swrun_makedev(device.major, device.minor)
        if swrun_mknodat(number, name, device.mode, id) != 0 {
            guard Errno.current == .exists else { throw SysError("mknod", device.path, .current) }
            if try isSame(device, parent, name) { return }
            try sys("unlinkat", device.path) { unlinkat(number, name, 0) }
            try sys("mknod", device.path) { swrun_mknodat(number, name, device.mode, id) }
        }
        if device.uid != 0 || device.gid != 0 {
            try sys("fchownat", device.path) { fchownat(number, name, device.uid, device.gid, 0x100) }
        }
    }

    private func isSame(_ device: DevicePlan, _ parent: borrowing OwnedFD, _ name: String) throws(SysError) -> Bool {
        let info = try status(try openAt(parent, name, O_PATH | O_NOFOLLOW))
        return info.st_mode & 0o170000 == device.mode & 0o170000
            && info.st_rdev == swrun_makedev(device.major, device.minor)
    }

    private borrowing func bindHostDevice(
        _ device: DevicePlan, _ parent: borrowing OwnedFD, _ name: String
    ) throws(SysError) {
        let tree = try MountTree.clone(path: FilePath(device.path), recursive: false)
        let info = try status(tree.fd)
        guard info.st_rdev == swrun_makedev(device.major, device.minor) else {
            throw SysError("bind", device.path, .invalidArgument, hint: "the host's device has other numbers")
        }
        // What the image has there is not opened: a FIFO would block.
        do throws(SysError) { _ = try openAt(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, mode: 0) } catch {
            if error.errno != .exists { throw error }
        }
        try tree.attach(on: try openAt(parent, name, O_PATH | O_NOFOLLOW))
    }
}

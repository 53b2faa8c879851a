// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import OCISpec

extension RootBuilder {
    /// Makes the tree the root of this namespace and lets go of the host's (pivot_root(2), the `.` `.` form).
    borrowing func enter() throws(RuntimeError) {
        try step("pivot_root") { () throws(SysError) in
            let number = root.raw
            let old = try open(FilePath("/"), O_PATH | O_DIRECTORY)
            let oldNumber = old.raw
            try sys("fchdir") { fchdir(number) }
            try sys("pivot_root") { swrun_pivot_root(".", ".") }
            // The old root now lies on top of the new one. No event of its unmounting may reach the host.
            try sys("fchdir") { fchdir(oldNumber) }
            try sys("mount", "old root") { swrun_mount(nil, ".", nil, 0x8_0000 | 0x4000, nil) }
            try sys("umount2", "old root") { swrun_umount2(".", CInt(MNT_DETACH)) }
            try sys("chdir", "/") { chdir("/") }
        }
    }

    /// As `enter` where pivot_root(2) cannot work: on an initramfs, where the old root stays hidden below, and in the
    /// host's mount namespace, which must not change.
    borrowing func enterByChangingRoot() throws(RuntimeError) {
        try step("chroot") { () throws(SysError) in
            let number = root.raw
            // A visible /proc of the host would let a user namespace below have an unmasked one of its own.
            if plan.namespaces.isSeparate(.mount) { try forgetHostProc() }
            try sys("fchdir") { fchdir(number) }
            try sys("chroot", ".") { chroot(".") }
            try sys("chdir", "/") { chdir("/") }
        }
    }

    private borrowing func forgetHostProc() throws(SysError) {
        let old = try open(FilePath("/"), O_PATH | O_DIRECTORY)
        let number = old.raw
        try sys("fchdir") { fchdir(number) }
        for name in ["proc", "sys"] { while swrun_umount2(name, CInt(MNT_DETACH)) == 0 {} }
        // A user namespace may not take away what it inherited, only cover it.
        if exists(FilePath("proc/self")) {
            try MountTree.new(type: "tmpfs", source: "tmpfs", options: ["ro", "nr_inodes=1"])
                .attach(on: try open(FilePath("proc"), O_PATH | O_DIRECTORY))
        }
    }

    /// Masks, read-only paths and the root's own properties: after `enter`, when every mount is in its place.
    borrowing func seal() throws(RuntimeError) {
        if let (propagation, isRecursive) = plan.rootPropagation {
            try step("set the propagation of the root") { () throws(SysError) in
                try changeMount(root, propagation: propagation, recursive: isRecursive)
            }
        }
        for path in plan.spec.linux.readonlyPaths {
            try step("make " + path + " read-only") { () throws(SysError) in try makeReadOnly(path) }
        }
        try maskPaths()
        for mount in plan.mounts where mount.isSealedLater {
            try step("make " + mount.destination + " read-only") { () throws(SysError) in
                try changeMount(try openInRoot(root, mount.destination, O_PATH), set: .readOnly)
            }
        }
        if plan.isRootReadOnly {
            try step("make the root read-only") { () throws(SysError) in try changeMount(root, set: .readOnly) }
        }
    }

    private borrowing func makeReadOnly(_ path: String) throws(SysError) {
        guard let target = try openIfThere(path) else { return }
        let tree = try MountTree.clone(of: target, recursive: true)
        try tree.change(set: .readOnly, recursive: true)
        try tree.attach(on: target)
    }

    private borrowing func openIfThere(_ path: String) throws(SysError) -> OwnedFD? {
        do throws(SysError) { return try openInRoot(root, path, O_PATH) } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { return nil }
            throw error
        }
    }

    /// Hides files behind /dev/null and directories behind one empty read-only tmpfs.
    private borrowing func maskPaths() throws(RuntimeError) {
        if plan.spec.linux.maskedPaths.isEmpty { return }
        let null = try step("verify /dev/null") { () throws(SysError) in try verifiedNull() }
        let empty = try step("make an empty directory") { () throws(SysError) in try emptyDirectory() }
        var isAttached = false
        for path in plan.spec.linux.maskedPaths {
            try step("mask " + path) { () throws(SysError) in
                guard let target = try openIfThere(path) else { return }
                if !isDirectory(try status(target)) { return try MountTree.clone(of: null).attach(on: target) }
                // The first directory takes the tmpfs itself: to drop a mount that is attached nowhere costs more.
                if isAttached { return try MountTree.clone(of: empty.fd).attach(on: target) }
                try empty.attach(on: target)
                isAttached = true
            }
        }
    }

    private func emptyDirectory() throws(SysError) -> MountTree {
        try MountTree.new(
            type: "tmpfs", source: "tmpfs", options: ["ro", "nr_blocks=1", "nr_inodes=1"], attributes: .readOnly)
    }

    /// The container's /dev/null, if it is the null device and no link: an image might have put something else there,
    /// which would then be writable under the masked names.
    private borrowing func verifiedNull() throws(SysError) -> OwnedFD {
        let null = try openInRoot(root, "/dev/null", O_PATH | O_NOFOLLOW)
        let info = try status(null)
        guard info.st_mode & 0o170000 == 0o020000, info.st_rdev == swrun_makedev(1, 3) else {
            throw SysError("open", "/dev/null", .invalidArgument, hint: "not the null device")
        }
        return null
    }
}

// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// openat2(2) with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS: `path` is resolved as if `root` were `/`, so no symbolic
/// link or `..` in it can lead outside.
package func openInRoot(
    _ root: borrowing OwnedFD, _ path: String, _ flags: CInt, mode: mode_t = 0
) throws(SysError) -> OwnedFD {
    try walk(root, visible(path), path, flags, mode, resolveInRoot | resolveNoMagicLinks)
}

/// openat2(2) like `openInRoot`, but a symbolic link anywhere in the path is an error (ELOOP).
package func openInRootWithoutLinks(
    _ root: borrowing OwnedFD, _ path: String, _ flags: CInt
) throws(SysError) -> OwnedFD {
    try walk(root, visible(path), path, flags, 0, resolveInRoot | resolveNoMagicLinks | resolveNoSymbolicLinks)
}

/// openat2(2) of a relative path that must stay below `root`: a symbolic link that leads out of it is an error (EXDEV).
package func openBelow(
    _ root: borrowing OwnedFD, _ path: String, _ flags: CInt
) throws(SysError) -> OwnedFD {
    try walk(root, path, path, flags, 0, resolveBeneath | resolveNoMagicLinks)
}

/// openat2(2) like `openInRoot` for a path that need not be text, with a zero at its end. Without `crossingMounts` a
/// mount in the way is an error (EXDEV). `display` is for errors.
package func openInRoot(
    _ root: borrowing OwnedFD, bytes path: [CChar], _ flags: CInt, crossingMounts: Bool,
    _ display: @autoclosure () -> String
) throws(SysError) -> OwnedFD {
    let mounts = crossingMounts ? 0 : resolveNoCrossing
    return try walk(root, path, display(), flags, 0, resolveInRoot | resolveNoMagicLinks | mounts)
}

private let resolveNoCrossing: UInt64 = 0x01
private let resolveNoMagicLinks: UInt64 = 0x02
private let resolveNoSymbolicLinks: UInt64 = 0x04
private let resolveBeneath: UInt64 = 0x08
private let resolveInRoot: UInt64 = 0x10

/// openat2(2) takes no empty path for the root itself.
private func visible(_ path: String) -> String { path.utf8.allSatisfy { $0 == UInt8(ascii: "/") } ? "." : path }

/// A rename that races with the walk makes it fail with EAGAIN, and openat2(2) says to try again: not for ever, since a
/// container may go on renaming.
private func walk(
    _ root: borrowing OwnedFD, _ path: UnsafePointer<CChar>, _ display: @autoclosure () -> String, _ flags: CInt,
    _ mode: mode_t, _ resolve: UInt64
) throws(SysError) -> OwnedFD {
    let dir = root.raw
    let how = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
    for _ in 0..<1000 {
        let fd = swrun_openat2(dir, path, how, UInt64(mode), resolve)
        if fd >= 0 { return OwnedFD(owning: fd) }
        guard Errno.current == .wouldBlock || Errno.current == .interrupted else { break }
    }
    throw SysError("openat2", display(), .current)
}

/// Opens the directory `path` of the tree under `root`, making what is missing of it (mode 0755). Links are followed
/// inside the root only, also those to what is missing; each new directory is made under one that is already open.
package func makeDirectoriesInRoot(
    _ root: borrowing OwnedFD, _ path: String, mode: mode_t = 0o755
) throws(SysError) -> OwnedFD {
    var wanted = path
    for _ in 0..<40 {
        do throws(SysError) { return try openInRoot(root, wanted, O_PATH | O_DIRECTORY) } catch {
            if error.errno != .noSuchFile { throw error }
        }
        guard let link = try makeMissingDirectories(root, wanted, mode) else { continue }
        wanted = link
    }
    throw SysError("mkdir", path, .loop)
}

/// Makes the directories that are missing. If a link that leads to something missing is in the way, nothing behind it
/// is made, and the result is the path that it stands for.
private func makeMissingDirectories(
    _ root: borrowing OwnedFD, _ path: String, _ mode: mode_t
) throws(SysError) -> String? {
    // `..` behind a missing component cannot be resolved by the kernel: there it means the text's parent.
    let components = FilePath("/" + path).normalized.components
    var current = try openInRoot(root, "/", O_PATH | O_DIRECTORY)
    var walked = ""
    for (index, component) in components.enumerated() {
        let before = walked
        walked += "/" + component
        do throws(SysError) {
            current = try openInRoot(root, walked, O_PATH | O_DIRECTORY)
            continue
        } catch {
            if error.errno != .noSuchFile { throw error }
        }
        let parent = current.raw
        if mkdirat(parent, component, mode) != 0, Errno.current != .exists {
            throw SysError("mkdir", walked, .current)
        }
        let made = try openAt(current, component, O_PATH | O_NOFOLLOW)
        if isSymbolicLink(try status(made)) {
            let target = try readLink(current.procPath / component)
            let rest = components[(index + 1)...].joined(separator: "/")
            return (target.isAbsolute ? target : FilePath(before + "/" + target.string)).string + "/" + rest
        }
        current = made
    }
    return nil
}

/// Opens the file `path` of the tree under `root` as O_PATH, making an empty one (mode 0644) if it is missing. A link to
/// a missing file (/etc/resolv.conf is often one) stands for that file, inside the root.
package func makeFileInRoot(_ root: borrowing OwnedFD, _ path: String) throws(SysError) -> OwnedFD {
    var wanted = path
    for _ in 0..<40 {
        do throws(SysError) { return try openInRoot(root, wanted, O_PATH) } catch {
            if error.errno != .noSuchFile { throw error }
        }
        let normalized = FilePath("/" + wanted).normalized
        let parent = try makeDirectoriesInRoot(root, normalized.parent.string)
        let name = normalized.lastComponent
        do throws(SysError) {
            _ = try openAt(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, mode: 0o644)
        } catch {
            if error.errno != .exists { throw error }
        }
        let file = try openAt(parent, name, O_PATH | O_NOFOLLOW)
        guard isSymbolicLink(try status(file)) else { return file }
        let target = try readLink(parent.procPath / name)
        wanted = target.isAbsolute ? target.string : (normalized.parent / target.string).string
    }
    throw SysError("open", path, .loop)
}

/// The magic number of the file system that an open file is on (statfs(2)).
package func fileSystemType(_ fd: borrowing OwnedFD) throws(SysError) -> Int {
    let number = fd.raw
    var info = statfs()
    try sys("fstatfs") { fstatfs(number, &info) }
    return Int(info.f_type)
}

/// Whether an open file or directory is on a mount, or a file system, that is read-only (statvfs(3)).
package func isOnReadOnlyMount(_ fd: borrowing OwnedFD) throws(SysError) -> Bool {
    let number = fd.raw
    var info = statvfs()
    try sys("fstatvfs") { fstatvfs(number, &info) }
    return info.f_flag & 1 != 0  // ST_RDONLY
}

/// Whether an open file is on a file system in which the kernel shows itself (statfs(2)): its files are no data, and
/// reading or writing one does something.
package func isOnKernelFileSystem(_ fd: borrowing OwnedFD) throws(SysError) -> Bool {
    [
        procMagic,
        0x6265_6572,  // sysfs
        0x27_e0eb,  // cgroup
        0x6367_7270,  // cgroup2
        0x1cd1,  // devpts
        0x1980_0202,  // mqueue
        0x6462_6720,  // debugfs
        0x7472_6163,  // tracefs
        0x7363_6673,  // securityfs
        0xcafe_4a11,  // bpf
        0x6265_6570,  // configfs
        0x6165_676c,  // pstore
        0xde5e_81e4,  // efivarfs
        0x6e73_6673,  // nsfs
        0x4249_4e4d,  // binfmt_misc
        0x6573_5543,  // fuse's control
        0xf97c_ff8c,  // selinux
    ].contains(try fileSystemType(fd))
}

/// PROC_SUPER_MAGIC
package let procMagic = 0x9fa0

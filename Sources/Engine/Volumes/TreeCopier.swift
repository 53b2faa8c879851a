// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Copies a directory tree with owners, modes, times, extended attributes, symbolic and hard links. Works on
/// descriptors and names only and follows no link: neither a hostile source nor someone who changes the target
/// meanwhile (a container that has the volume already) can make it read or write elsewhere.
struct TreeCopier {
    /// The copy of a file with several names: where it was put first, and which file it is.
    private struct Copy {
        var path: String
        var file: FileIdentity
    }

    /// By the source.
    private var linked: [FileIdentity: Copy] = [:]
    /// The names that lead from the target's root to the directory that is being filled.
    private var place: [String] = []

    /// Called when a directory is filled, for tests that change the target in the middle.
    var didCopyDirectory: ((_ name: String) -> Void)?

    private static let maximumDepth = 200

    /// Copies what is in `source` into `target`, and the directory's own owner, mode, times and attributes.
    mutating func copyContent(of source: borrowing OwnedFD, into target: borrowing OwnedFD) throws(SysError) {
        try copyContent(of: source, into: target, root: target)
    }

    private mutating func copyContent(
        of source: borrowing OwnedFD, into target: borrowing OwnedFD, root: borrowing OwnedFD
    ) throws(SysError) {
        guard place.count < Self.maximumDepth else {
            throw SysError("copy", "", .nameTooLong, hint: "more than \(Self.maximumDepth) nested directories")
        }
        for name in try listDirectory(source.procPath) { try copy(name, source, target, root) }
        try copyMetadata(try status(source), source, target)
    }

    private mutating func copy(
        _ name: String, _ source: borrowing OwnedFD, _ target: borrowing OwnedFD, _ root: borrowing OwnedFD
    ) throws(SysError) {
        let from = source.raw
        let to = target.raw
        var info = stat()
        try sys("fstatat", name) { fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) }
        switch info.st_mode & UInt32(S_IFMT) {
        case UInt32(S_IFDIR):
            try sys("mkdirat", name) { mkdirat(to, name, 0o700) }
            place.append(name)
            defer { place.removeLast() }
            try copyContent(
                of: try openAt(source, name, OpenFlags.directory | O_NOFOLLOW),
                into: try openAt(target, name, OpenFlags.directory | O_NOFOLLOW), root: root)
            didCopyDirectory?(name)
        case UInt32(S_IFREG): try copyFile(name, info, source, target, root)
        case UInt32(S_IFLNK): try copyLink(name, info, from, to)
        case UInt32(S_IFSOCK): break  // means nothing without the process that bound it
        default:
            try sys("mknodat", name) { mknodat(to, name, info.st_mode, info.st_rdev) }
            try sys("fchownat", name) { fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) }
            try sys("fchmodat", name) { fchmodat(to, name, info.st_mode & 0o7777, 0) }
        }
    }

    private mutating func copyFile(
        _ name: String, _ info: stat, _ source: borrowing OwnedFD, _ target: borrowing OwnedFD,
        _ root: borrowing OwnedFD
    ) throws(SysError) {
        if info.st_nlink > 1, let first = linked[FileIdentity(info)], try link(name, first, target, root) { return }
        let input = try openAt(source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let output = try openAt(target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        while true {
            let chunk = try readSome(input, upTo: 1 << 17)
            if chunk.isEmpty { break }
            try writeAll(output, chunk)
        }
        try copyMetadata(info, input, output)
        guard info.st_nlink > 1 else { return }
        let path = (place + [name]).joined(separator: "/")
        linked[FileIdentity(info)] = Copy(path: path, file: FileIdentity(try status(output)))
    }

    /// Gives the first copy another name; false if it is no longer where it was put, or cannot have more names: then
    /// the file is copied again.
    private func link(
        _ name: String, _ first: Copy, _ target: borrowing OwnedFD, _ root: borrowing OwnedFD
    ) throws(SysError) -> Bool {
        do throws(SysError) {
            let file = try openInRootWithoutLinks(root, first.path, O_PATH)
            guard FileIdentity(try status(file)) == first.file else { return false }
            let to = target.raw
            // The descriptor itself is linked, by its only name for linkat(2) that needs no capability.
            try sys("linkat", name) { linkat(AT_FDCWD, file.procPath.string, to, name, AT_SYMLINK_FOLLOW) }
            return true
        } catch {
            guard [ENOENT, ENOTDIR, ELOOP, EMLINK].contains(error.errno.rawValue) else { throw error }
            return false
        }
    }

    private func copyLink(_ name: String, _ info: stat, _ from: CInt, _ to: CInt) throws(SysError) {
        var buffer = [CChar](repeating: 0, count: 4097)  // PATH_MAX and the terminator, which readlinkat does not write
        try sys("readlinkat", name) { readlinkat(from, name, &buffer, 4096) }
        try sys("symlinkat", name) { symlinkat(buffer, to, name) }
        try sys("fchownat", name) { fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) }
    }

    /// Owner before mode, since chown(2) clears set-user-ID; times last.
    private func copyMetadata(
        _ info: stat, _ source: borrowing OwnedFD, _ target: borrowing OwnedFD
    ) throws(SysError) {
        let to = target.raw
        try sys("fchown") { fchown(to, info.st_uid, info.st_gid) }
        try copyAttributes(source.raw, to)
        try sys("fchmod") { fchmod(to, info.st_mode & 0o7777) }
        let times = [info.st_atim, info.st_mtim]
        try sys("futimens") { futimens(to, times) }
    }

    /// What the file system of the volume does not take is left out, as other copiers do; file capabilities
    /// (`security.capability`) and user attributes are what images have.
    private func copyAttributes(_ from: CInt, _ to: CInt) throws(SysError) {
        var names = [CChar](repeating: 0, count: 65536)
        let count = flistxattr(from, &names, 65536)
        guard count > 0 else { return }
        for name in names[..<count].split(separator: 0) where !name.isEmpty {
            let key = Array(name) + [0]
            let text = String(decoding: name.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("user.") || text == "security.capability" else { continue }
            var value = [UInt8](repeating: 0, count: 65536)
            let size = try sys("fgetxattr", text) { fgetxattr(from, key, &value, 65536) }
            do throws(SysError) { try sys("fsetxattr", text) { fsetxattr(to, key, value, size, 0) } } catch {
                if error.errno != .notSupported { throw error }
            }
        }
    }
}

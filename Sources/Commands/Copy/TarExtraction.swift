// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Unpacks an archive whose entries all lie below one root, giving the root another name. The archive comes out of a
/// container and is not trusted: parents are resolved inside the target's directory, links are never followed.
struct TarExtraction {
    private let directory: FilePath
    private let rootName: String

    /// - Parameter target: what the archive's first component becomes; its parent must exist.
    init(_ target: FilePath) {
        directory = target.parent
        rootName = target.lastComponent
    }

    func extract(_ archive: TarReader) throws {
        let root = try LinuxSystem.open(directory, O_RDONLY | O_DIRECTORY)
        var times: [(path: String, seconds: Int64, mode: UInt32)] = []
        while let entry = try archive.entry() {
            let path = try place(entry.name)
            try make(entry, path, root, archive)
            if entry.kind == UInt8(ascii: "5") { times.append((path, entry.modified, entry.mode)) }
        }
        // Directories last: making their entries changed their times, and their mode may forbid writing.
        for (path, seconds, mode) in times.reversed() {
            let directory = try openInRoot(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            fchmod(directory.raw, mode)
            setTime(directory.raw, seconds)
        }
    }

    /// The entry's path below the target's directory, with the root's new name.
    private func place(_ name: String) throws -> String {
        let components = FilePath(name).components
        if components.contains("..") { throw CommandFailure("refusing an archive entry outside its root: " + name) }
        let below = components.dropFirst(name.hasPrefix("./") || name == "." ? 0 : 1)
        return ([rootName] + below).joined(separator: "/")
    }

    private func make(_ entry: TarHeader, _ path: String, _ root: borrowing OwnedFD, _ archive: TarReader) throws {
        let name = FilePath(path).lastComponent
        let parent = try openInRoot(root, FilePath(path).parent.string, O_RDONLY | O_DIRECTORY)
        switch entry.kind {
        case UInt8(ascii: "5"):
            if mkdirat(parent.raw, name, 0o700) != 0, Errno.current != .exists {
                throw SysError("mkdir", path, .current)
            }
        case UInt8(ascii: "2"):
            unlinkat(parent.raw, name, 0)
            try sys("symlink", path) { symlinkat(entry.link, parent.raw, name) }
        case UInt8(ascii: "1"):
            unlinkat(parent.raw, name, 0)
            let source = try place(entry.link)
            let sourceParent = try openInRoot(root, FilePath(source).parent.string, O_RDONLY | O_DIRECTORY)
            let sourceName = FilePath(source).lastComponent
            let (from, to) = (sourceParent.raw, parent.raw)
            try sys("link", path) { linkat(from, sourceName, to, name, 0) }
        case UInt8(ascii: "0"), UInt8(ascii: "7"): try write(entry, path, name, parent, archive)
        case UInt8(ascii: "6"):
            unlinkat(parent.raw, name, 0)
            let directory = parent.raw
            try sys("mkfifo", path) { mkfifoat(directory, name, entry.mode) }
        default: break  // devices mean nothing outside the container
        }
    }

    private func write(
        _ entry: TarHeader, _ path: String, _ name: String, _ parent: borrowing OwnedFD, _ archive: TarReader
    ) throws {
        let file: OwnedFD
        do throws(SysError) {
            file = try openAt(parent, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        } catch {
            guard error.errno == .loop else { throw error }
            unlinkat(parent.raw, name, 0)  // a link stands in the way: replace it, do not write through it
            file = try openAt(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        }
        while let bytes = try archive.content() { try writeAll(file, bytes) }
        fchmod(file.raw, entry.mode)
        setTime(file.raw, entry.modified)
    }

    private func setTime(_ fd: CInt, _ seconds: Int64) {
        var times = [timespec(tv_sec: 0, tv_nsec: Int(leaveUnchanged)), timespec(tv_sec: Int(seconds), tv_nsec: 0)]
        futimens(fd, &times)
    }

    /// UTIME_OMIT is a macro that Swift does not see.
    private var leaveUnchanged: Int64 { (1 << 30) - 2 }
}

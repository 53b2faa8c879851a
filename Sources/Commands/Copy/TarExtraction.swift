// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Tar

/// Unpacks an archive whose entries all lie below one root, giving the root another name. The archive comes out of a
/// container and is not trusted: parents are resolved inside the target's directory, links are never followed.
final class TarExtraction {
    private let directory: FilePath
    private let rootName: String
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)

    /// - Parameter target: what the archive's first component becomes; its parent must exist.
    init(_ target: FilePath) {
        directory = target.parent
        rootName = target.lastComponent
    }

    deinit { buffer.deallocate() }

    func extract(_ archive: TarReader) throws {
        let root = try LinuxSystem.open(directory, O_RDONLY | O_DIRECTORY)
        var directories: [(path: String, time: TarEntry.Time, mode: UInt32)] = []
        while let entry = try archive.next() {
            let path = try place(entry.path)
            try make(entry, path, root, archive)
            if entry.kind == .directory { directories.append((path, entry.modified, entry.mode)) }
        }
        // Directories last: making their entries changed their times, and their mode may forbid writing.
        for (path, time, mode) in directories.reversed() {
            let directory = try openInRoot(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            fchmod(directory.raw, mode)
            setTime(directory.raw, time)
        }
    }

    /// The entry's path below the target's directory, with the root's new name.
    private func place(_ bytes: [UInt8]) throws -> String {
        let name = String(decoding: bytes, as: UTF8.self)
        let components = FilePath(name).components
        if components.contains("..") { throw CommandFailure("refusing an archive entry outside its root: " + name) }
        let below = components.dropFirst(name.hasPrefix("./") || name == "." ? 0 : 1)
        return ([rootName] + below).joined(separator: "/")
    }

    private func make(_ entry: TarEntry, _ path: String, _ root: borrowing OwnedFD, _ archive: TarReader) throws {
        let name = FilePath(path).lastComponent
        let parent = try openInRoot(root, FilePath(path).parent.string, O_RDONLY | O_DIRECTORY)
        switch entry.kind {
        case .directory:
            if mkdirat(parent.raw, name, 0o700) != 0, Errno.current != .exists {
                throw SysError("mkdir", path, .current)
            }
        case .symbolicLink:
            unlinkat(parent.raw, name, 0)
            let target = String(decoding: entry.linkTarget, as: UTF8.self)
            try sys("symlink", path) { symlinkat(target, parent.raw, name) }
        case .hardLink:
            unlinkat(parent.raw, name, 0)
            let source = try place(entry.linkTarget)
            let sourceParent = try openInRoot(root, FilePath(source).parent.string, O_RDONLY | O_DIRECTORY)
            let sourceName = FilePath(source).lastComponent
            let (from, to) = (sourceParent.raw, parent.raw)
            try sys("link", path) { linkat(from, sourceName, to, name, 0) }
        case .regular: try write(entry, path, name, parent, archive)
        case .fifo:
            unlinkat(parent.raw, name, 0)
            let directory = parent.raw
            try sys("mkfifo", path) { mkfifoat(directory, name, entry.mode) }
        case .characterDevice, .blockDevice: break  // devices mean nothing outside the container
        }
    }

    private func write(
        _ entry: TarEntry, _ path: String, _ name: String, _ parent: borrowing OwnedFD, _ archive: TarReader
    ) throws {
        let file: OwnedFD
        do throws(SysError) {
            file = try openAt(parent, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        } catch {
            guard error.errno == .loop else { throw error }
            unlinkat(parent.raw, name, 0)  // a link stands in the way: replace it, do not write through it
            file = try openAt(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        }
        let fd = file.raw
        for range in entry.dataRanges ?? [0..<entry.size] {
            try sys("lseek", path) { lseek(fd, off_t(range.lowerBound), SEEK_SET) }
            try copy(range.upperBound - range.lowerBound, from: archive, to: file)
        }
        try sys("ftruncate", path) { ftruncate(fd, off_t(entry.size)) }
        fchmod(fd, entry.mode)
        setTime(fd, entry.modified)
    }

    private func copy(_ count: Int64, from archive: TarReader, to file: borrowing OwnedFD) throws {
        var left = count
        while left > 0 {
            let wanted = Int(min(left, Int64(buffer.count)))
            let count = try archive.readData(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
            guard count > 0 else { throw ArchiveError.truncated }
            try writeAll(file, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            left -= Int64(count)
        }
    }

    private func setTime(_ fd: CInt, _ time: TarEntry.Time) {
        let modified = timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
        var times = [timespec(tv_sec: 0, tv_nsec: Int(leaveUnchanged)), modified]
        futimens(fd, &times)
    }

    /// UTIME_OMIT is a macro that Swift does not see.
    private var leaveUnchanged: Int64 { (1 << 30) - 2 }
}

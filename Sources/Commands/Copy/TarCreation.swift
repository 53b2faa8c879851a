// SPDX-License-Identifier: Apache-2.0
import CLinux
package import DockerClient
import Glibc
package import LinuxSystem
import Tar

/// Makes a tar archive of a file or tree piece by piece, its root under another name.
package final class TarCreation {
    private var pending: [(path: FilePath, name: String)]
    private let follows: Bool
    private let file = CurrentFile()
    private var isFinished = false
    /// Files with several names, by the first of them.
    private var links: [FileIdentity: [UInt8]] = [:]
    /// How many bytes were made so far.
    package private(set) var written: Int64 = 0

    /// - Parameter follows: the root is followed if it is a link.
    package init(_ root: FilePath, rootName: String, follows: Bool) {
        pending = [(root, rootName)]
        self.follows = follows
    }

    /// The next piece; nil at the end.
    package func next() throws(ClientError) -> BodyPiece? {
        do throws(SysError) {
            let next = try piece()
            written += Int64(next?.count ?? 0)
            return next
        } catch { throw .broken(error.description) }
    }

    private func piece() throws(SysError) -> BodyPiece? {
        if let piece = file.next() { return piece }
        guard let (path, name) = pending.popLast() else {
            if isFinished { return nil }
            isFinished = true
            return .bytes(TarWriter.end)
        }
        let isRoot = written == 0
        let info = try status(path, follow: isRoot && follows || path.string.hasSuffix("/"))
        var entry = TarEntry(kind: .regular, path: Array(name.utf8))
        entry.mode = info.st_mode & 0o7777
        (entry.uid, entry.gid) = (info.st_uid, info.st_gid)
        entry.modified = .init(seconds: Int64(info.st_mtim.tv_sec), nanoseconds: Int64(info.st_mtim.tv_nsec))
        switch Int32(info.st_mode) & S_IFMT {
        case S_IFDIR:
            entry.kind = .directory
            for child in try listDirectory(path).sorted(by: >) { pending.append((path / child, name + "/" + child)) }
        case S_IFLNK:
            entry.kind = .symbolicLink
            entry.linkTarget = Array(try readLink(path).string.utf8)
        case S_IFIFO: entry.kind = .fifo
        case S_IFREG: try begin(&entry, path, info)
        default: return try piece()  // sockets and devices stay behind
        }
        return .bytes(TarWriter.header(entry))
    }

    private func begin(_ entry: inout TarEntry, _ path: FilePath, _ info: stat) throws(SysError) {
        if info.st_nlink > 1 {
            if let first = links[FileIdentity(info)] {
                entry.kind = .hardLink
                entry.linkTarget = first
                return
            }
            links[FileIdentity(info)] = entry.path
        }
        entry.size = Int64(info.st_size)
        try file.open(path, size: entry.size)
    }
}

/// The file whose content comes next: as many bytes as its header announced, or the sending fails.
private final class CurrentFile {
    private var file: OpenFile?
    private var left: Int64 = 0
    private var size: Int64 = 0

    func open(_ path: FilePath, size: Int64) throws(SysError) {
        file = try OpenFile(path)
        left = size
        self.size = size
    }

    /// nil when there is no file, or no more of it.
    func next() -> BodyPiece? {
        guard let file else { return nil }
        if let piece = file.piece(of: &left) { return piece }
        self.file = nil
        let padding = TarWriter.padding(size)
        return padding.isEmpty ? nil : .bytes(padding)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Archive
import CLinux
import LinuxSystem
import Synchronization
import Tar
import Threads

/// An open file of a log; its content stays reachable when it is rotated away, compressed or removed.
final class OpenLog: Sendable {
    private let fd: OwnedFD
    private let directory: FilePath
    let isCompressed: Bool
    let inode: UInt64
    /// The inode of the file that a compressed one was made from, if it tells.
    let origin: UInt64?
    private let unpacked = Mutex<OpenLog?>(nil)

    init(_ path: FilePath, isCompressed: Bool = false) throws(SysError) {
        fd = try open(path, OpenFlags.safeRead)
        inode = UInt64(try status(fd).st_ino)
        directory = path.parent
        self.isCompressed = isCompressed
        origin = isCompressed ? LogOrigin.inode(in: try readAt(fd, 0, LogOrigin.bytes)) : nil
    }

    private init(unpacked fd: consuming OwnedFD, in directory: FilePath) throws(SysError) {
        inode = UInt64(try status(fd).st_ino)
        self.fd = fd
        self.directory = directory
        isCompressed = false
        origin = nil
    }

    /// Bytes by now.
    var size: Int64 { (try? status(fd)).map { Int64($0.st_size) } ?? 0 }

    /// When it was written last. A compressed file has the time of what it was made from.
    var changed: Timestamp { (try? status(fd)).map { Timestamp($0.st_mtim) } ?? Timestamp(nanoseconds: 0) }

    func read(at offset: Int64, _ count: Int) throws(SysError) -> [UInt8] { try readAt(fd, offset, count) }

    /// The log's lines: this file itself, or what a compressed one holds, unpacked into a file without a name.
    func content() async throws -> OpenLog {
        if !isCompressed { return self }
        if let known = unpacked.withLock({ $0 }) { return known }
        let made = try await runOnThread { [self] in try unpack() }
        unpacked.withLock { $0 = made }
        return made
    }

    private func unpack() throws -> OpenLog {
        let path = directory / ".unpacked-\(inode)-\(monotonicNanoseconds())"
        let file = try open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        try removeFile(path)
        let source = try decompressed(FileSource(try open(fd.procPath, OpenFlags.safeRead)))
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
            if count == 0 { break }
            try writeAll(file, Array(buffer[..<count]))
        }
        return try OpenLog(unpacked: file, in: directory)
    }

    /// The offset of the last `count` lines, and how many there are if fewer.
    func lastLines(_ count: Int) async throws -> (offset: Int64, count: Int) {
        let size = size
        if count <= 0 { return (size, 0) }
        var end = size
        var newlines = 0
        while end > 0 {
            let start = max(0, end - 65536)
            let chunk = try read(at: start, Int(end - start))
            for index in chunk.indices.reversed() where chunk[index] == UInt8(ascii: "\n") {
                newlines += 1
                if newlines > count { return (start + Int64(index) + 1, count) }
            }
            end = start
            await Task.yield()  // to other readers
            try Task.checkCancellation()
        }
        return (0, newlines)
    }
}

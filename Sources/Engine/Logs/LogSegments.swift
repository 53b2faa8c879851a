// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The files of one json-file log: `x-json.log` is written, `x-json.log.1` was before, `.2` before that, …
struct LogSegments: Sendable {
    let path: FilePath

    /// The oldest first.
    func paths() -> [FilePath] {
        var older: [FilePath] = []
        var number = 1
        while exists(FilePath(path.string + ".\(number)")) {
            older.append(FilePath(path.string + ".\(number)"))
            number += 1
        }
        return older.reversed() + [path]
    }

    /// The file that was begun after the one with this inode: the next one of a follower that has read it to its end.
    func successor(ofInode inode: UInt64) -> FilePath? {
        let all = paths()
        guard let index = all.firstIndex(where: { Self.inode($0) == inode }) else { return all.first }
        return index + 1 < all.count ? all[index + 1] : nil
    }

    static func inode(_ path: FilePath) -> UInt64? { (try? status(path)).map { UInt64($0.st_ino) } }

    /// Where to begin in each file so that `count` lines remain in all of them together; files before are left out.
    func tail(_ count: Int) throws(SysError) -> [(path: FilePath, offset: Int64)] {
        var left = count
        var result: [(path: FilePath, offset: Int64)] = []
        for path in paths().reversed() {
            let file: OwnedFD
            do throws(SysError) { file = try open(path, OpenFlags.safeRead) } catch { continue }
            let (offset, lines) = try Self.lastLines(of: file, left)
            result.insert((path, offset), at: 0)
            left -= lines
            if left <= 0 { break }
        }
        return result
    }

    /// The offset of the last `count` lines, and how many there are if fewer.
    private static func lastLines(of file: borrowing OwnedFD, _ count: Int) throws(SysError) -> (Int64, Int) {
        let size = Int64(try status(file).st_size)
        if count <= 0 { return (size, 0) }
        var end = size
        var newlines = 0
        while end > 0 {
            let start = max(0, end - 65536)
            let chunk = try readAt(file, start, Int(end - start))
            for index in chunk.indices.reversed() where chunk[index] == UInt8(ascii: "\n") {
                newlines += 1
                if newlines > count { return (start + Int64(index) + 1, count) }
            }
            end = start
        }
        return (0, newlines)
    }
}

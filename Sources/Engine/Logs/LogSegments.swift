// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The files of one log: `x-json.log` is written, `x-json.log.1` was before, `.2` before that, … Full ones may be
/// compressed: `x-json.log.1.gz`. Names change under a lock on the directory only, the shim's and ours.
struct LogSegments: Sendable {
    let path: FilePath

    func old(_ number: Int) -> FilePath { FilePath(path.string + ".\(number)") }

    func compressed(_ number: Int) -> FilePath { FilePath(old(number).string + ".gz") }

    /// Runs `body` while nothing is renamed; not for long, since the container's output may wait for it.
    func locked<R>(_ body: () throws(SysError) -> R) throws(SysError) -> R {
        let directory = try open(path.parent, O_RDONLY | O_DIRECTORY)
        let number = directory.raw
        try sys("flock", path.parent.string) { flock(number, LOCK_EX) }
        return try body()
    }

    /// All files, the oldest first.
    func files() -> [OpenLog] {
        let all = try? locked { () throws(SysError) in
            var found: [OpenLog] = []
            if let log = try? OpenLog(path) { found.append(log) }
            for number in 1... {
                if let log = try? OpenLog(old(number)) {
                    found.append(log)
                } else if let log = try? OpenLog(compressed(number), isCompressed: true) {
                    found.append(log)
                } else {
                    break
                }
            }
            return found
        }
        return (all ?? []).reversed()
    }

    /// The file that was begun after this one: the next one of a follower that has read it to its end. nil if this is
    /// still the one that is written.
    func successor(of log: OpenLog) -> OpenLog? {
        let all = files()
        let place =
            all.firstIndex { $0.inode == log.inode } ?? all.firstIndex { $0.isCompressed && $0.changed == log.changed }
        if let place { return place + 1 < all.count ? all[place + 1] : nil }
        return all.first { $0.changed > log.changed }
    }

    /// Where to begin in each file so that `count` lines remain in all of them together; files before are left out.
    func tail(_ count: Int) async throws -> [(file: OpenLog, offset: Int64)] {
        var left = count
        var result: [(file: OpenLog, offset: Int64)] = []
        for file in files().reversed() {
            let content = try await file.content()
            let (offset, lines) = try await content.lastLines(left)
            result.insert((file, offset), at: 0)
            left -= lines
            if left <= 0 { break }
        }
        return result
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The files of one log: `x-json.log` is written, `x-json.log.1` was before, `.2` before that, … Full ones may be
/// compressed: `x-json.log.1.gz`. Names change under a lock on the directory only, the shim's and ours.
struct LogSegments: Sendable {
    let path: FilePath

    func old(_ number: Int) -> FilePath { FilePath(path.string + ".\(number)") }

    func compressed(_ number: Int) -> FilePath { FilePath(old(number).string + ".gz") }

    /// Runs `body` while nothing is renamed; not for long, since the shim cannot begin a new file meanwhile.
    func locked<R>(_ body: () throws(SysError) -> R) throws(SysError) -> R {
        try withLockedDirectory(path.parent, body)
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

    /// The number of the newest full file that matches and is not compressed yet.
    func uncompressed(where matches: (stat) -> Bool = { _ in true }) -> Int? {
        var number = 1
        while true {
            if let info = try? status(old(number)) {
                if matches(info) { return number }
            } else if !exists(compressed(number)) {
                return nil
            }
            number += 1
        }
    }

    /// The file that was begun after this one: the next one of a follower that has read it to its end. nil if this is
    /// still the one that is written.
    func successor(of log: OpenLog) -> OpenLog? {
        let all = files()
        // The kernel gives a file's number to another one once nobody has it open: of two that were made from files of
        // this number, the newer one is meant.
        let place = all.firstIndex { $0.inode == log.inode } ?? all.lastIndex { $0.origin == log.inode }
        if let place { return place + 1 < all.count ? all[place + 1] : nil }
        return all.first { $0.changed >= log.changed }  // it was removed, and all before it
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

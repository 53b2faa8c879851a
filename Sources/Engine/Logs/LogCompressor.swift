// SPDX-License-Identifier: Apache-2.0
import Archive
import CLinux
import LinuxSystem
import Logging
import Threads

/// Compresses the full files of one log while its container runs, and what is left of them afterwards. The shim goes on
/// without us: files that nobody has compressed yet are read as they are.
struct LogCompressor: Sendable {
    let segments: LogSegments
    let logger: Logger

    init(path: FilePath, logger: Logger) {
        segments = LogSegments(path: path)
        self.logger = logger
    }

    /// Returns when `ended` has ended or the task is cancelled.
    func run(until ended: AsyncStream<Void>) async {
        do {
            let watch = try LogWatch(directory: segments.path.parent, ended: ended, events: UInt32(IN_MOVED_TO))
            defer { watch.stop() }
            repeat { try await compressAll() } while await watch.wait()
            if !Task.isCancelled { try await compressAll() }
        } catch {
            logger.warning(
                "log not compressed", metadata: ["path": "\(segments.path.string)", "error": "\(error)"])
        }
    }

    private func compressAll() async throws {
        while true {
            let full = try segments.locked { () throws(SysError) in
                try segments.uncompressed().map { number throws(SysError) in try OpenLog(segments.old(number)) }
            }
            guard let full else { return }
            try await runOnThread { try compress(full) }
        }
    }

    /// Writes the compressed copy, with the times of the file, and puts it into the place that the file has by then.
    private func compress(_ log: OpenLog) throws {
        let draft = FilePath(segments.path.string + ".gz.tmp")
        let file = try open(draft, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o640)
        let number = file.raw
        try writeAll(file, LogOrigin.member(log.inode))
        let sink = try compressing(.gzip, into: FileSink(try file.duplicate()))
        var offset: Int64 = 0
        while true {
            let bytes = try log.read(at: offset, 1 << 17)
            if bytes.isEmpty { break }
            offset += Int64(bytes.count)
            try sink.write(bytes)
        }
        try sink.finish()
        let changed = log.changed
        let time = timespec(tv_sec: Int(changed.seconds), tv_nsec: Int(changed.subsecond))
        let times = [time, time]
        try sys("futimens", draft.string) { futimens(number, times) }
        try syncFile(file)
        try segments.locked { () throws(SysError) in
            guard let place = segments.uncompressed(where: { UInt64($0.st_ino) == log.inode }) else {
                return try removeFile(draft)  // rotated away meanwhile
            }
            try rename(draft, segments.compressed(place))
            try removeFile(segments.old(place))
        }
    }
}

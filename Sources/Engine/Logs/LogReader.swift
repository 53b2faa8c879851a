// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

/// Reads a container's json-file log, over all its rotated files, and follows it while it is written.
///
/// The shim writes, we only read: a follower that has come to the end of a file looks whether the log was rotated, and
/// then waits for inotify(7) or the end of the container, after which nothing more is written.
package struct LogReader: Sendable {
    private static let chunk = 64 << 10
    private static let longestLine = 1 << 20

    let segments: LogSegments
    let tty: Bool

    package init(path: FilePath, tty: Bool) {
        segments = LogSegments(path: path)
        self.tty = tty
    }

    /// Sends what the request asks for, without following.
    package func read(_ request: LogRequest, _ send: (([UInt8]) async throws -> Void)) async throws {
        _ = try await readPast(request, send)
    }

    /// Sends what the request asks for and what is written until `ended` ends.
    package func follow(
        _ request: LogRequest, until ended: AsyncStream<Void>, _ send: (([UInt8]) async throws -> Void)
    ) async throws {
        let watch = try LogWatch(directory: segments.path.parent, ended: ended)
        defer { watch.stop() }
        guard var position = try await readPast(request, send) else { return }
        var isLast = false
        while true {
            guard try await read(&position, request, send) else { return }
            if let next = position.file.flatMap({ segments.successor(ofInode: $0) }) {
                // Rotated: what was written to the old file before is read already or read now.
                guard try await read(&position, request, send) else { return }
                position = Position(path: next)
                continue
            }
            if isLast { return }
            isLast = await !watch.wait()
        }
    }

    // MARK: Parts

    /// How far one file has been read.
    private struct Position {
        var path: FilePath
        var offset: Int64 = 0
        /// The inode, once it was opened.
        var file: UInt64?
        var fd: OpenLog?
        var rest: [UInt8] = []
    }

    /// Reads what there is; returns where the newest file's end was, or nil if `until` was passed.
    private func readPast(
        _ request: LogRequest, _ send: (([UInt8]) async throws -> Void)
    ) async throws -> Position? {
        let starts = try request.tail.map { try segments.tail($0) } ?? segments.paths().map { ($0, Int64(0)) }
        var position = Position(path: segments.path)
        for (path, offset) in starts {
            position = Position(path: path, offset: offset)
            guard try await read(&position, request, send) else { return nil }
        }
        return position
    }

    /// Reads one file to its present end; false once a line is past `until`.
    private func read(
        _ position: inout Position, _ request: LogRequest, _ send: (([UInt8]) async throws -> Void)
    ) async throws -> Bool {
        if position.fd == nil {
            guard let log = OpenLog(position.path) else { return true }  // not written yet
            position.fd = log
            position.file = log.inode
        }
        guard let log = position.fd else { return true }
        while true {
            let bytes = try log.read(at: position.offset, Self.chunk)
            if bytes.isEmpty { return true }
            position.offset += Int64(bytes.count)
            position.rest += bytes
            let (output, isPast) = take(&position.rest, request)
            if !output.isEmpty { try await send(output) }
            if isPast { return false }
            if position.rest.count > Self.longestLine { position.rest = [] }  // no log of ours has such a line
        }
    }

    /// Takes the whole lines out of `rest` and encodes those that are wanted; stops at one that is past `until`.
    private func take(_ rest: inout [UInt8], _ request: LogRequest) -> (output: [UInt8], isPast: Bool) {
        var output: [UInt8] = []
        var start = 0
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = LogLine(parsing: Array(rest[start..<end]))
            start = end + 1
            guard let line else { continue }
            if let until = request.until, line.time > until { return (output, true) }
            if line.isWanted(by: request) { output += line.encoded(timestamps: request.timestamps, tty: tty) }
        }
        rest.removeFirst(start)
        return (output, false)
    }
}

/// An open log file; keeps its content reachable when it is rotated away.
private final class OpenLog: Sendable {
    private let fd: OwnedFD
    let inode: UInt64

    init?(_ path: FilePath) {
        guard let file = try? open(path, OpenFlags.safeRead), let info = try? status(file) else { return nil }
        inode = UInt64(info.st_ino)
        fd = file
    }

    func read(at offset: Int64, _ count: Int) throws(SysError) -> [UInt8] { try readAt(fd, offset, count) }
}

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

    /// Sends what the request asks for of what there is now: what is written while the client reads is not sent, or a
    /// slow reader of a chatty container would never come to an end.
    package func read(_ request: LogRequest, _ send: (([UInt8]) async throws -> Void)) async throws {
        for var position in try positions(request).map(\.endingNow) {
            guard try await read(&position, request, send) else { return }
        }
    }

    /// Sends what the request asks for and what is written until `ended` ends.
    package func follow(
        _ request: LogRequest, until ended: AsyncStream<Void>, _ send: (([UInt8]) async throws -> Void)
    ) async throws {
        let watch = try LogWatch(directory: segments.path.parent, ended: ended)
        defer { watch.stop() }
        var position = Position(path: segments.path)
        for start in try positions(request) {
            position = start
            guard try await read(&position, request, send) else { return }
        }
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
        /// Where to stop; nil at the file's end, wherever that is by then.
        var end: Int64?
        /// The inode, once it was opened.
        var file: UInt64?
        var fd: OpenLog?
        var rest: [UInt8] = []

        init(path: FilePath, offset: Int64 = 0) {
            self.path = path
            self.offset = offset
        }

        /// Opens the file unless that is done; nil if it is not written yet.
        mutating func open() -> OpenLog? {
            if let fd { return fd }
            fd = OpenLog(path)
            file = fd?.inode
            return fd
        }

        /// The same, stopping where the file ends now; a rotation from now on does not matter.
        var endingNow: Position {
            var copy = self
            copy.end = copy.open()?.size ?? 0
            return copy
        }
    }

    /// Where to begin in each file, the oldest first.
    private func positions(_ request: LogRequest) throws -> [Position] {
        let starts = try request.tail.map { try segments.tail($0) } ?? segments.paths().map { ($0, Int64(0)) }
        return starts.map { Position(path: $0.0, offset: $0.1) }
    }

    /// Reads one file to its end; false once a line is past `until`.
    private func read(
        _ position: inout Position, _ request: LogRequest, _ send: (([UInt8]) async throws -> Void)
    ) async throws -> Bool {
        guard let log = position.open() else { return true }
        while true {
            let left = position.end.map { $0 - position.offset } ?? Int64(Self.chunk)
            guard left > 0 else { return true }
            let bytes = try log.read(at: position.offset, Int(min(left, Int64(Self.chunk))))
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
    /// When it was opened.
    let size: Int64

    init?(_ path: FilePath) {
        guard let file = try? open(path, OpenFlags.safeRead), let info = try? status(file) else { return nil }
        inode = UInt64(info.st_ino)
        size = Int64(info.st_size)
        fd = file
    }

    func read(at offset: Int64, _ count: Int) throws(SysError) -> [UInt8] { try readAt(fd, offset, count) }
}

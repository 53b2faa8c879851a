// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
import Threads

/// Reads a container's log, over all its rotated files, and follows it while it is written.
///
/// The shim writes, we only read: a follower that has come to the end of a file looks whether the log was rotated, and
/// then waits for inotify(7) or the end of the container, after which nothing more is written.
package struct LogReader: Sendable {
    private static let chunk = 256 << 10
    private static let longestLine = 1 << 20
    private static let clockTolerance: Int64 = 1_000_000_000

    /// Where logs are read and sent: to parse long ones keeps the processor busy, and what others ask for must not wait.
    private static let threads = BlockingPool(threads: 2)

    let segments: LogSegments

    package init(path: FilePath) { segments = LogSegments(path: path) }

    /// Sends what the request asks for of what there is now: what is written while the client reads is not sent, or a
    /// slow reader of a chatty container would never come to an end.
    package func read(
        _ request: LogRequest, tty: Bool, _ send: (([UInt8]) async throws -> Void)
    ) async throws {
        try await withTaskExecutorPreference(Self.threads) {
            try await read(request) { lines in try await send(Self.encode(lines, request, tty)) }
        }
    }

    /// Sends what the request asks for and what is written until `ended` ends.
    package func follow(
        _ request: LogRequest, tty: Bool, until ended: AsyncStream<Void>, _ send: (([UInt8]) async throws -> Void)
    ) async throws {
        try await withTaskExecutorPreference(Self.threads) {
            try await follow(request, until: ended) { lines in try await send(Self.encode(lines, request, tty)) }
        }
    }

    private static func encode(_ lines: [LogLine], _ request: LogRequest, _ tty: Bool) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(lines.count * 64)
        for line in lines {
            line.encode(timestamps: request.timestamps, details: request.details, tty: tty, into: &output)
        }
        return output
    }

    // MARK: Lines

    typealias Take = ([LogLine]) async throws -> Void

    func read(_ request: LogRequest, _ take: Take) async throws {
        for var position in try await positions(request).map(\.endingNow) {
            guard try await read(&position, request, take) else { return }
        }
    }

    func follow(_ request: LogRequest, until ended: AsyncStream<Void>, _ take: Take) async throws {
        let watch = try LogWatch(directory: segments.path.parent, ended: ended)
        defer { watch.stop() }
        var position: Position?
        for start in try await positions(request) {
            position = start
            guard var current = position else { break }
            guard try await read(&current, request, take) else { return }
            position = current
        }
        var isLast = false
        while true {
            if position == nil { position = segments.files().first.map { Position($0) } }
            if var current = position {
                guard try await read(&current, request, take) else { return }
                position = current
                if let next = segments.successor(of: current.file) {
                    // Rotated: what was written to the old file before is read already or read now.
                    guard try await read(&current, request, take) else { return }
                    position = Position(next)
                    continue
                }
            }
            if isLast { return }
            isLast = await !watch.wait()
        }
    }

    // MARK: Parts

    /// How far one file has been read.
    private struct Position {
        let file: OpenLog
        var offset: Int64 = 0
        /// Where to stop; nil at the file's end, wherever that is by then.
        var end: Int64?
        var rest: [UInt8] = []

        init(_ file: OpenLog, offset: Int64 = 0) {
            self.file = file
            self.offset = offset
        }

        /// The same, stopping where the file ends now; a rotation from now on does not matter.
        var endingNow: Position {
            var copy = self
            if !file.isCompressed { copy.end = file.size }
            return copy
        }
    }

    /// Where to begin in each file, the oldest first.
    private func positions(_ request: LogRequest) async throws -> [Position] {
        if let count = request.tail {
            return try await segments.tail(count).map { Position($0.file, offset: $0.offset) }
        }
        // What was written last before the time that is asked for is of no interest. The clock of files lags behind that of
        // lines by a tick of the kernel's.
        let files = segments.files()
        guard let since = request.since else { return files.map { Position($0) } }
        return files.filter { $0.changed.nanoseconds.addingSaturating(Self.clockTolerance) >= since.nanoseconds }.map {
            Position($0)
        }
    }

    /// Reads one file to its end; false once a line is past `until`.
    private func read(_ position: inout Position, _ request: LogRequest, _ take: Take) async throws -> Bool {
        let log = try await position.file.content()
        while true {
            let left = position.end.map { $0 - position.offset } ?? Int64(Self.chunk)
            guard left > 0 else { return true }
            let bytes = try log.read(at: position.offset, Int(min(left, Int64(Self.chunk))))
            if bytes.isEmpty {
                // A log of one file begins anew in the same file when it is full.
                guard position.end == nil, log.size < position.offset else { return true }
                (position.offset, position.rest) = (0, [])
                continue
            }
            await Task.yield()  // to other readers: a long log takes a while, even if nothing of it is wanted
            try Task.checkCancellation()
            position.offset += Int64(bytes.count)
            position.rest += bytes
            let (lines, isPast) = Self.lines(&position.rest, request)
            if !lines.isEmpty { try await take(lines) }
            if isPast { return false }
            if position.rest.count > Self.longestLine { position.rest = [] }  // no log of ours has such a line
        }
    }

    /// Takes the whole lines out of `rest`, those that are wanted; stops at one that is past `until`.
    private static func lines(_ rest: inout [UInt8], _ request: LogRequest) -> (lines: [LogLine], isPast: Bool) {
        var lines: [LogLine] = []
        var start = 0
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = LogLine(parsing: Array(rest[start..<end]))
            start = end + 1
            guard let line else { continue }
            if let until = request.until, line.time > until { return (lines, true) }
            if line.isWanted(by: request) { lines.append(line) }
        }
        rest.removeFirst(start)
        return (lines, false)
    }
}

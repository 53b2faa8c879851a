// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import LinuxSystem
import Logging
import Synchronization
import Threads

/// Sends a container's lines to the receiver of its log driver, from the file that the shim writes.
///
/// How far it has come is kept beside the log, so that a restart of the daemon neither loses nor repeats lines; while a
/// receiver is away, lines wait in the file as long as rotation lets them.
final class LogForwarder: Sendable {
    private struct Cursor: Sendable, Equatable {
        /// The time of the last line that was sent, and how many lines of that very time were.
        var time: Int64 = 0
        var count = 0

        var text: String { "\(time) \(count)\n" }

        init() {}

        init?(_ text: String) {
            let parts = text.split(separator: " ").compactMap { Int64($0) }
            guard parts.count == 2 else { return nil }
            (time, count) = (parts[0], Int(parts[1]))
        }

        mutating func advance(over line: LogLine) {
            let next = line.time.nanoseconds
            count = next == time ? count + 1 : 1
            time = next
        }
    }

    /// Pauses between attempts to reach a receiver, in milliseconds; the last one again and again.
    private static let pauses = [100, 500, 1000, 5000]

    private let reader: LogReader
    private let connection: LogConnection
    private let place: FilePath
    private let logger: Logger
    private let cursor: Mutex<Cursor>

    init(log: FilePath, place: FilePath, connection: LogConnection, logger: Logger) {
        reader = LogReader(path: log)
        self.connection = connection
        self.place = place
        self.logger = logger
        cursor = Mutex((try? readText(place)).flatMap { Cursor($0) } ?? Cursor())
    }

    /// Returns when `ended` has ended and everything is sent, or when the task is cancelled.
    func run(until ended: AsyncStream<Void>) async {
        var request = LogRequest()
        (request.stdout, request.stderr) = (true, true)
        let start = cursor.withLock { $0 }
        request.since = start.time == 0 ? nil : Timestamp(nanoseconds: start.time)
        var toSkip = start.count
        do {
            try await reader.follow(request, until: ended) { lines in
                var rest = lines[...]
                while toSkip > 0, let line = rest.first, line.time.nanoseconds == start.time {
                    rest = rest.dropFirst()
                    toSkip -= 1
                }
                try await send(Array(rest))
            }
        } catch is CancellationError {} catch {
            logger.warning("log not sent", metadata: ["error": "\(error)"])
        }
    }

    private func send(_ lines: [LogLine]) async throws {
        var rest = lines
        var attempt = 0
        while !rest.isEmpty {
            let batch = rest
            let (sent, failure) = try await runOnThread { [connection] in
                var sent = 0
                do { try connection.send(batch, sent: &sent) } catch { return (sent, "\(EngineError(error))") }
                return (sent, "")
            }
            remember(rest.prefix(sent))
            rest.removeFirst(sent)
            guard !rest.isEmpty else { return }
            if attempt == 0 { logger.warning("log receiver does not answer", metadata: ["error": "\(failure)"]) }
            try await Task.sleep(for: .milliseconds(Self.pauses[min(attempt, Self.pauses.count - 1)]))
            attempt += 1
        }
    }

    private func remember(_ lines: ArraySlice<LogLine>) {
        if lines.isEmpty { return }
        let text = cursor.withLock { cursor in
            for line in lines { cursor.advance(over: line) }
            return cursor.text
        }
        // A torn or lost file costs a repetition, no line.
        guard let file = try? open(place, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600) else { return }
        _ = try? writeAll(file, Array(text.utf8))
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import JSON
import LinuxSystem
import Logging
import Synchronization

/// The least serious level that is logged; a reload changes it.
final class LogLevel: Sendable {
    private let state: Mutex<Logger.Level>

    init(_ level: Logger.Level) { state = Mutex(level) }

    var value: Logger.Level {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// Writes the daemon's log to standard error: as text, or as the JSON lines that dockerd's `--log-format json` gives.
struct DaemonLogHandler: LogHandler {
    private let level: LogLevel
    private let isJSON: Bool
    private var text: StreamLogHandler
    var metadata: Logger.Metadata = [:] {
        didSet { text.metadata = metadata }
    }

    init(label: String, level: LogLevel, isJSON: Bool) {
        self.level = level
        self.isJSON = isJSON
        text = StreamLogHandler.standardError(label: label)
        text.logLevel = .trace
    }

    /// One for the whole daemon: what a copy of a logger is set to does not count.
    var logLevel: Logger.Level {
        get { level.value }
        set { level.value = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard isJSON else { return text.log(event: event) }
        var fields = metadata.merging(event.metadata ?? [:]) { $1 }.map { ($0.key, JSONValue.string("\($0.value)")) }
        fields += [
            ("level", .string(Self.name(event.level))), ("msg", .string("\(event.message)")),
            ("time", .string(Timestamp.now.rfc3339())),
        ]
        let line = JSONValue.sorted(fields).bytes() + [10]
        _ = line.withUnsafeBytes { CLinux.write(STDERR_FILENO, $0.baseAddress, line.count) }
    }

    /// As logrus calls the levels.
    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace: "trace"
        case .debug: "debug"
        case .info, .notice: "info"
        case .warning: "warning"
        case .error: "error"
        case .critical: "fatal"
        }
    }
}

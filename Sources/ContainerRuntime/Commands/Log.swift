// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem

/// Where a command says what went wrong: the file that the caller named with `--log`, which containerd and conmon read
/// back, and then also one plain line on stderr for people; without such a file stderr alone, in runc's form.
struct Log: Sendable {
    var path: FilePath?
    var isJSON = false
    var isDebug = false

    /// Makes the file, so that a place where none can be is an error before anything is done.
    func prepare() throws(SysError) {
        if let path { _ = try open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644) }
    }

    func error(_ message: String) {
        append("error", message)
        if path != nil { writeLine(2, message) }
    }

    func warning(_ message: String) { append("warning", message) }

    func debug(_ message: @autoclosure () -> String) {
        if isDebug { append("debug", message()) }
    }

    private func append(_ level: String, _ message: String) {
        guard let path else { return writeLine(2, onTerminal(level, message) ?? text(level, message)) }
        guard let file = try? open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644) else { return }
        let entry: JSONValue = ["level": .string(level), "msg": .string(message), "time": .string(time)]
        try? writeAll(file, Array(((isJSON ? entry.serialized() : text(level, message)) + "\n").utf8))
    }

    private var time: String { Timestamp(nanoseconds: Timestamp.now.seconds * 1_000_000_000).rfc3339() }

    private func text(_ level: String, _ message: String) -> String {
        "time=\"" + time + "\" level=" + level + " msg=" + JSONValue.string(message).serialized()
    }

    /// Nobody parses what is read on a terminal.
    private func onTerminal(_ level: String, _ message: String) -> String? {
        guard !isJSON, isatty(2) == 1 else { return nil }
        return level.uppercased() + ": " + message
    }
}

/// Writes a line to stdout (1) or stderr (2); a reader that has gone away is no error of ours.
func writeLine(_ descriptor: CInt, _ text: String) { writeText(descriptor, text + "\n") }

func writeText(_ descriptor: CInt, _ text: String) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
        let count = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, Errno.current != .interrupted { return }
        done += max(0, count)
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem

/// Where a command says what went wrong: one plain line on stderr for people, and an entry in the file that the caller
/// named with `--log`, which containerd and conmon read back.
struct Log: Sendable {
    var path: FilePath?
    var isJSON = false
    var isDebug = false

    func error(_ message: String) {
        append("error", message)
        writeLine(2, message)
    }

    func warning(_ message: String) {
        if path == nil { writeLine(2, message) }
        append("warning", message)
    }

    func debug(_ message: @autoclosure () -> String) {
        if isDebug { append("debug", message()) }
    }

    private func append(_ level: String, _ message: String) {
        guard let path else { return }
        let time = Timestamp(nanoseconds: Timestamp.now.seconds * 1_000_000_000).rfc3339()
        let entry: JSONValue = ["level": .string(level), "msg": .string(message), "time": .string(time)]
        let text = JSONValue.string(message).serialized()
        let line = isJSON ? entry.serialized() : "time=\"" + time + "\" level=" + level + " msg=" + text
        guard let file = try? open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644) else { return }
        try? writeAll(file, Array((line + "\n").utf8))
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

// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import JSON
package import LinuxSystem

/// One line of a json-file log: `{"log":"text\n","stream":"stdout","time":"…"}`. A line of more than 16 KiB is in
/// several of these, of which only the last ends with a newline.
package struct LogLine: Sendable, Equatable {
    package var text: String
    package var stream: StreamFrame.Stream
    package var time: Timestamp

    /// nil for what is no such line, as the torn end of a file after a crash.
    package init?(parsing bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes, maximumDepth: 8), let text = json["log"]?.string,
            let time = Timestamp(rfc3339: json["time"]?.string ?? "")
        else { return nil }
        self.text = text
        self.time = time
        stream = json["stream"]?.string == "stderr" ? .stderr : .stdout
    }

    /// Whether the request asks for this line; `until` is looked at elsewhere, since it ends the reading.
    package func isWanted(by request: LogRequest) -> Bool {
        switch stream {
        case .stdout where !request.stdout, .stderr where !request.stderr: return false
        default: break
        }
        if let since = request.since, time < since { return false }
        return true
    }

    /// What the client gets: a frame, or the plain text of a terminal.
    package func encoded(timestamps: Bool, tty: Bool) -> [UInt8] {
        let content = Array((timestamps ? time.rfc3339(fixed: true) + " " : "").utf8) + Array(text.utf8)
        return tty ? content : StreamFrame.encode(stream, content)
    }
}

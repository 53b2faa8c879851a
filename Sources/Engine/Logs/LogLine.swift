// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import GoTemplate
import JSON
package import LinuxSystem

/// One line of a json-file log: `{"log":"text\n","stream":"stdout","attrs":{…},"time":"…"}`. A line of more than 16 KiB is
/// in several of these, of which only the last ends with a newline.
package struct LogLine: Sendable, Equatable {
    package var text: [UInt8]
    package var stream: StreamFrame.Stream
    /// The time as it is written, for which no other form is needed mostly.
    package var timeText: ArraySlice<UInt8>
    /// The `attrs` object as it is written; empty if there is none.
    package var attributes: ArraySlice<UInt8>

    /// nil for what is no such line, as the torn end of a file after a crash.
    package init?(parsing bytes: [UInt8]) {
        if let fast = LogLineScanner.scan(bytes[...]) {
            self = fast
            return
        }
        guard let json = try? JSONValue(parsing: bytes, maximumDepth: 8), let text = json["log"]?.string,
            let time = json["time"]?.string, Timestamp(rfc3339: time) != nil
        else { return nil }
        self.init(
            text: Array(text.utf8), stream: json["stream"]?.string == "stderr" ? .stderr : .stdout,
            timeText: Array(time.utf8)[...], attributes: (json["attrs"].map { $0.bytes() } ?? [])[...])
    }

    init(text: [UInt8], stream: StreamFrame.Stream, timeText: ArraySlice<UInt8>, attributes: ArraySlice<UInt8>) {
        self.text = text
        self.stream = stream
        self.timeText = timeText
        self.attributes = attributes
    }

    package var time: Timestamp {
        Timestamp(rfc3339: String(decoding: timeText, as: UTF8.self)) ?? Timestamp(nanoseconds: 0)
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
    package func encoded(timestamps: Bool, details: Bool = false, tty: Bool) -> [UInt8] {
        var result: [UInt8] = []
        encode(timestamps: timestamps, details: details, tty: tty, into: &result)
        return result
    }

    /// Appends what the client gets.
    package func encode(timestamps: Bool, details: Bool, tty: Bool, into output: inout [UInt8]) {
        var prefix: [UInt8] = []
        if timestamps {
            prefix = Array(time.rfc3339(fixed: true).utf8)
            prefix.append(UInt8(ascii: " "))
        }
        if details { prefix += shownAttributes() }
        if !tty {
            let count = prefix.count + text.count
            output += [
                stream.rawValue, 0, 0, 0, UInt8(truncatingIfNeeded: count >> 24),
                UInt8(truncatingIfNeeded: count >> 16), UInt8(truncatingIfNeeded: count >> 8),
                UInt8(truncatingIfNeeded: count),
            ]
        }
        output += prefix
        output += text
    }

    /// `a=1,b=2 `, each part escaped as in a query string.
    private func shownAttributes() -> [UInt8] {
        let pairs = (try? JSONValue(parsing: Array(attributes), maximumDepth: 8))?.stringPairs ?? []
        let parts = pairs.sorted { $0.key < $1.key }.map { escapeQuery($0.key) + "=" + escapeQuery($0.value) }
        return Array((parts.joined(separator: ",") + " ").utf8)
    }
}

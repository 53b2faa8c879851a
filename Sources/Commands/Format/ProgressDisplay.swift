// SPDX-License-Identifier: Apache-2.0
import DockerClient
package import JSON
import LinuxSystem

/// Shows the progress lines of pull, push, load and build: on a terminal one line per id that is redrawn in place,
/// elsewhere one line per change without bars.
package struct ProgressDisplay {
    private let descriptor: Int32
    private let isSilent: Bool
    private let columns: Int?
    private var lines: [String] = []

    /// - Parameter columns: the terminal's width; nil when it is no terminal.
    package init(descriptor: Int32, isSilent: Bool = false, columns: Int?) {
        self.descriptor = descriptor
        self.isSilent = isSilent
        self.columns = columns
    }

    package init(descriptor: Int32, isSilent: Bool = false) {
        let width = TerminalMode.isTerminal(descriptor) ? TerminalMode.size(descriptor).map { Int($0.columns) } : nil
        self.init(descriptor: descriptor, isSilent: isSilent, columns: width)
    }

    /// Shows messages until the stream ends; an error message ends it by throwing.
    mutating func show(_ messages: JSONLines, onAux: (JSONValue) -> Void = { _ in }) throws {
        while let message = try messages.next() {
            if let aux = message["aux"], !aux.isNull {
                onAux(aux)
                continue
            }
            if let reason = message["errorDetail"]?["message"]?.string ?? message["error"]?.string, !reason.isEmpty {
                throw ProgressFailure(message: reason, code: message["errorDetail"]?["code"]?.int ?? 0)
            }
            let text = render(message)
            if !isSilent { try StandardStreams.write(descriptor, Array(text.utf8)) }
        }
    }

    /// The bytes that one message adds to the output.
    package mutating func render(_ message: JSONValue) -> String {
        let id = message["id"]?.string ?? ""
        let hasProgress = message["progressDetail"].map { !$0.isNull } ?? false
        guard !id.isEmpty, hasProgress || !(message["progress"]?.string ?? "").isEmpty else {
            lines = []
            return content(message, id: id, hasProgress: hasProgress)
        }
        var out = ""
        if !lines.contains(id) {
            lines.append(id)
            if columns != nil { out += "\n" }
        }
        let distance = lines.count - (lines.firstIndex(of: id) ?? 0)
        guard columns != nil else { return out + content(message, id: id, hasProgress: hasProgress) }
        out += "\u{1B}[\(distance)A" + content(message, id: id, hasProgress: hasProgress) + "\u{1B}[\(distance)B"
        return out
    }

    private func content(_ message: JSONValue, id: String, hasProgress: Bool) -> String {
        let status = message["status"]?.string ?? ""
        let stream = message["stream"]?.string ?? ""
        let detail = message["progressDetail"] ?? .null
        let bar = hasProgress ? ProgressDisplay.bar(detail, columns: columns ?? 200) : ""
        var out = ""
        var lineEnd = ""
        if columns != nil, stream.isEmpty, hasProgress {
            out = "\u{1B}[2K\r"
            lineEnd = "\r"
        } else if !bar.isEmpty {
            return ""
        }
        if !id.isEmpty { out += id + ": " }
        if hasProgress, columns != nil { return out + status + " " + bar + lineEnd }
        if let progress = message["progress"]?.string, !progress.isEmpty {
            return out + status + " " + progress + lineEnd
        }
        if !stream.isEmpty { return out + stream + lineEnd }
        return out + status + lineEnd + "\n"
    }

    /// `[=====>      ]  1.2MB/3.4MB`, as far as the terminal is wide enough.
    static func bar(_ detail: JSONValue, columns: Int) -> String {
        let current = detail["current"]?.int ?? 0
        let total = detail["total"]?.int ?? 0
        let units = detail["units"]?.string ?? ""
        if current <= 0, total <= 0 { return "" }
        if total <= 0 { return units.isEmpty ? right(SizeText.long(Double(current)), 8) : "\(current) \(units)" }
        let half = min(50, Int(Double(current) / Double(total) * 100) / 2)
        var out = ""
        if columns > 110 {
            out = "[" + String(repeating: "=", count: half) + ">" + String(repeating: " ", count: 50 - half) + "] "
        }
        if detail["hidecounts"]?.bool == true { return out }
        if !units.isEmpty { return out + (current > total ? "\(current) \(units)" : "\(current)/\(total) \(units)") }
        out += right(SizeText.long(Double(current)), 8)
        return current > total ? out : out + "/" + SizeText.long(Double(total)) + timeLeft(detail, half, columns)
    }

    private static func timeLeft(_ detail: JSONValue, _ half: Int, _ columns: Int) -> String {
        guard columns > 50, half < 50, let current = detail["current"]?.int, let total = detail["total"]?.int,
            let start = detail["start"]?.int, current > 0, start > 0
        else { return "" }
        let elapsed = Double(Timestamp.now.seconds - start)
        let left = Int64((elapsed / Double(current) * Double(total - current)).rounded())
        let minutes = left / 60
        return " " + (minutes > 0 ? "\(minutes)m" : "") + "\(left % 60)s"
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
}

/// The daemon gave up in the middle of a pull, load or build.
package struct ProgressFailure: Error, Sendable, Equatable {
    package var message: String
    /// The exit code of a failed build step, or an HTTP status, or 0.
    package var code: Int64
}

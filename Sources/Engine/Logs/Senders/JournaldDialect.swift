// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem

/// The native protocol of systemd-journald (systemd's JOURNAL_NATIVE_PROTOCOL): one datagram of fields for each line.
struct JournaldDialect: LogDialect {
    static let socket = FilePath("/run/systemd/journal/socket")

    let address = LogSocket.Address(scheme: "unixgram", place: JournaldDialect.socket.string)
    private let fields: [(key: String, value: String)]

    init(_ info: LogInfo) throws(EngineError) {
        guard exists(Self.socket) else { throw LogOptions.failure("journald is not enabled on this host") }
        let tag = try info.tag(default: "{{.ID}}")
        var fields = [
            (key: "CONTAINER_ID", value: info.shortID), ("CONTAINER_ID_FULL", info.id), ("CONTAINER_NAME", info.name),
            ("CONTAINER_TAG", tag), ("IMAGE_NAME", info.imageName), ("SYSLOG_IDENTIFIER", tag),
        ]
        for (key, value) in try info.attributes() { fields.append((Self.fieldName(key), value)) }
        self.fields = fields
    }

    /// Upper case letters, digits and `_`, which does not come first.
    static func fieldName(_ text: String) -> String {
        var name = ""
        for byte in text.utf8 {
            let upper = (97...122).contains(byte) ? byte - 32 : byte
            let isPlain = (65...90).contains(upper) || (48...57).contains(upper)
            name.unicodeScalars.append(isPlain ? Unicode.Scalar(upper) : "_")
        }
        return String(name.drop { $0 == "_" })
    }

    func messages(_ line: LogLine) -> [[UInt8]] {
        var bytes: [UInt8] = []
        Self.append("MESSAGE", line.content, to: &bytes)
        let more = [
            (key: "PRIORITY", value: line.stream == .stderr ? "3" : "6"), ("SYSLOG_TIMESTAMP", line.time.rfc3339()),
        ]
        for (key, value) in more + fields { Self.append(key, Array(value.utf8)[...], to: &bytes) }
        if line.isPartial { Self.append("CONTAINER_PARTIAL_MESSAGE", Array("true".utf8)[...], to: &bytes) }
        return [bytes]
    }

    /// `KEY=value`, or for values of several lines the key, their length (64 bits, little-endian) and they themselves.
    static func append(_ key: String, _ value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes += Array(key.utf8)
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value.count >> (8 * shift))) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }
}

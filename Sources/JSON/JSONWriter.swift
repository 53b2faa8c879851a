// SPDX-License-Identifier: Apache-2.0

/// How a document is written.
package struct JSONFormat: Sendable {
    /// Spaces for each level; nil writes everything on one line without spaces.
    package var indent: Int?
    /// Writes `<`, `>` and `&` as `\u003c` and so on, as Go's encoder does unless told otherwise.
    package var escapesHTML: Bool

    package init(indent: Int? = nil, escapesHTML: Bool = false) {
        self.indent = indent
        self.escapesHTML = escapesHTML
    }

    package static var compact: JSONFormat { JSONFormat() }
    package static var pretty: JSONFormat { JSONFormat(indent: 4) }
}

extension JSONValue {
    package func serialized(_ format: JSONFormat = .compact) -> String {
        String(decoding: bytes(format), as: UTF8.self)
    }

    package func bytes(_ format: JSONFormat = .compact) -> [UInt8] {
        var writer = JSONWriter(format: format)
        writer.write(self, level: 0)
        return writer.output
    }
}

private struct JSONWriter {
    let format: JSONFormat
    var output: [UInt8] = []

    init(format: JSONFormat) { self.format = format }

    mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null: append("null")
        case .bool(let flag): append(flag ? "true" : "false")
        case .int(let number): append(String(number))
        case .number(let text): append(text)
        case .string(let text): writeString(text)
        case .array(let values): writeArray(values, level: level)
        case .object(let members): writeObject(members, level: level)
        }
    }

    private mutating func writeArray(_ values: [JSONValue], level: Int) {
        if values.isEmpty { return append("[]") }
        append("[")
        for (index, value) in values.enumerated() {
            if index > 0 { append(",") }
            newLine(level + 1)
            write(value, level: level + 1)
        }
        newLine(level)
        append("]")
    }

    private mutating func writeObject(_ members: [JSONValue.Member], level: Int) {
        if members.isEmpty { return append("{}") }
        append("{")
        for (index, member) in members.enumerated() {
            if index > 0 { append(",") }
            newLine(level + 1)
            writeString(member.key)
            append(format.indent == nil ? ":" : ": ")
            write(member.value, level: level + 1)
        }
        newLine(level)
        append("}")
    }

    /// Escapes what RFC 8259 §7 asks for, and U+2028/2029 as Go does for the sake of JavaScript. What lies between is
    /// written in one piece.
    private mutating func writeString(_ text: String) {
        var text = text
        output.append(UInt8(ascii: "\""))
        text.withUTF8 { bytes in
            var plain = 0  // where what is not written yet begins
            var index = 0
            while index < bytes.count {
                if Self.isPlain(bytes[index]) {
                    index += 1
                    continue
                }
                let length = lengthToEscape(bytes[index...])
                if length > 0 {
                    output.append(contentsOf: bytes[plain..<index])
                    writeEscaped(bytes[index + length - 1], isSeparator: length > 1)
                    plain = index + length
                }
                index += max(length, 1)
            }
            output.append(contentsOf: bytes[plain...])
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Whether a byte is written as it is whatever the format, which most are.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C && byte != 0x3C && byte != 0x3E && byte != 0x26
    }

    /// How many bytes the escaped character has that `bytes` begins with; 0 if it is written as it is.
    private func lengthToEscape(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        switch bytes[bytes.startIndex] {
        case 0..<0x20, 0x22, 0x5C: 1
        case 0x3C, 0x3E, 0x26: format.escapesHTML ? 1 : 0
        case 0xE2: bytes.starts(with: [0xE2, 0x80, 0xA8]) || bytes.starts(with: [0xE2, 0x80, 0xA9]) ? 3 : 0
        default: 0
        }
    }

    /// - Parameter isSeparator: `byte` is the last one of U+2028 or U+2029.
    private mutating func writeEscaped(_ byte: UInt8, isSeparator: Bool) {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5C: append("\\\\")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        case 0x08: append("\\b")
        case 0x0C: append("\\f")
        default: writeEscape(isSeparator ? 0x2000 | UInt32(byte - 0x80) : UInt32(byte))
        }
    }

    private mutating func writeEscape(_ value: UInt32) {
        append("\\u")
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(value >> shift & 0xF)
            output.append(digit < 10 ? 48 + digit : 87 + digit)
        }
    }

    private mutating func newLine(_ level: Int) {
        guard let indent = format.indent else { return }
        output.append(10)
        output.append(contentsOf: [UInt8](repeating: 32, count: indent * level))
    }

    private mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }
}

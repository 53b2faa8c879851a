// SPDX-License-Identifier: Apache-2.0

/// Why a text is not JSON, with the position of the offending byte.
package struct JSONError: Error, Sendable, Equatable {
    package var message: String
    package var offset: Int

    package var description: String { message + " at byte " + String(offset) }
}

extension JSONValue {
    /// Reads one document (RFC 8259); anything but white space behind it is an error.
    ///
    /// - Parameter maximumDepth: nesting beyond this is an error: input is hostile and the parser recurses.
    package init(parsing bytes: [UInt8], maximumDepth: Int = 200) throws(JSONError) {
        var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth)
        self = try parser.document()
    }

    package init(parsing text: String, maximumDepth: Int = 200) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    var position = 0

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(JSONError) -> JSONValue {
        let result = try value(depth: 0)
        skipSpace()
        if position < bytes.count { throw unexpected("after top-level value") }
        return result
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        if depth > maximumDepth { throw fail("exceeded max depth") }
        skipSpace()
        guard let byte = peek else { throw fail("unexpected end of JSON input") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw unexpected("looking for beginning of object key string") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw unexpected("after object key") }
            members.append(.init(key, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw unexpected("after object key:value pair") }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(values) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { throw unexpected("after array element") }
        }
    }

    private mutating func literal(_ text: StaticString, _ result: JSONValue) throws(JSONError) -> JSONValue {
        for offset in 0..<text.utf8CodeUnitCount {
            guard peek == (text.utf8Start[offset]) else { throw unexpected("in literal") }
            position += 1
        }
        return result
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        var isInteger = true
        _ = take(UInt8(ascii: "-"))
        let digitsStart = position
        let digits = try takeDigits()
        if digits > 1, bytes[digitsStart] == UInt8(ascii: "0") { throw unexpected("after leading zero") }
        if take(UInt8(ascii: ".")) {
            isInteger = false
            _ = try takeDigits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            _ = try takeDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .int(value) }
        return .number(text: text)
    }

    private mutating func takeDigits() throws(JSONError) -> Int {
        let start = position
        while let byte = peek, byte >= 48, byte <= 57 { position += 1 }
        if position == start { throw unexpected("looking for beginning of value") }
        return position - start
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        var start = position
        var collected: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                collected.append(contentsOf: bytes[start..<position])
                position += 1
                return String(decoding: collected, as: UTF8.self)
            case UInt8(ascii: "\\"):
                collected.append(contentsOf: bytes[start..<position])
                position += 1
                try escape(into: &collected)
                start = position
            case 0..<0x20: throw unexpected("in string literal")
            default: position += 1
            }
        }
        throw fail("unexpected end of JSON input")
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw fail("unexpected end of JSON input") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "u"): appendScalar(try escapedScalar(), to: &bytes)
        default: throw fail("invalid character in string escape code")
        }
    }

    /// A surrogate pair becomes one scalar; a lone surrogate becomes U+FFFD, as in Go.
    private mutating func escapedScalar() throws(JSONError) -> UInt32 {
        let first = try hexDigits()
        guard (0xD800...0xDBFF).contains(first) else { return (0xDC00...0xDFFF).contains(first) ? 0xFFFD : first }
        let mark = position
        if take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let second = try hexDigits()
            if (0xDC00...0xDFFF).contains(second) { return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00) }
        }
        position = mark
        return 0xFFFD
    }

    private mutating func hexDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek else { throw fail("unexpected end of JSON input") }
            let digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 65...70: digit = byte - 55
            case 97...102: digit = byte - 87
            default: throw unexpected("in \\u hexadecimal character escape")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 32 || byte == 10 || byte == 13 || byte == 9 { position += 1 }
    }

    private func fail(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    private func unexpected(_ place: String) -> JSONError {
        guard let byte = peek else { return fail("unexpected end of JSON input") }
        let character = byte >= 32 && byte < 127 ? "'" + String(decoding: [byte], as: UTF8.self) + "'" : String(byte)
        return fail("invalid character " + character + " " + place)
    }
}

/// Appends a Unicode scalar as UTF-8.
private func appendScalar(_ scalar: UInt32, to bytes: inout [UInt8]) {
    switch scalar {
    case 0..<0x80: bytes.append(UInt8(scalar))
    case 0x80..<0x800: bytes.append(contentsOf: [UInt8(0xC0 | scalar >> 6), UInt8(0x80 | scalar & 0x3F)])
    case 0x800..<0x10000:
        bytes.append(contentsOf: [
            UInt8(0xE0 | scalar >> 12), UInt8(0x80 | scalar >> 6 & 0x3F), UInt8(0x80 | scalar & 0x3F),
        ])
    default:
        bytes.append(contentsOf: [
            UInt8(0xF0 | scalar >> 18 & 0x07), UInt8(0x80 | scalar >> 12 & 0x3F), UInt8(0x80 | scalar >> 6 & 0x3F),
            UInt8(0x80 | scalar & 0x3F),
        ])
    }
}

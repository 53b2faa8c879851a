// SPDX-License-Identifier: Apache-2.0
import JSON

/// Reads the part of TOML 1.0 that registry host configuration uses: tables with quoted and dotted names, strings,
/// booleans, integers and arrays. Anything else is refused with its line, never guessed at.
struct TOMLReader {
    /// One `key = value`, with the names of the tables that it is in.
    struct Entry: Equatable {
        var path: [String]
        var value: JSONValue
    }

    struct Malformed: Error, Equatable {
        var line: Int
        var reason: String
    }

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    private static let maximumDepth = 8

    private init(_ text: [UInt8]) { bytes = text }

    /// All entries in their order; a table without any is an entry of an empty object.
    static func read(_ text: [UInt8]) throws(Malformed) -> [Entry] {
        var reader = TOMLReader(text)
        return try reader.document()
    }

    private mutating func document() throws(Malformed) -> [Entry] {
        var (entries, table): ([Entry], [String]) = ([], [])
        while true {
            skipBlank(withNewlines: true)
            guard let byte = peek else { break }
            if byte == UInt8(ascii: "[") {
                position += 1
                guard peek != UInt8(ascii: "[") else { throw failure("arrays of tables are not supported") }
                table = try keys(until: UInt8(ascii: "]"))
                entries.append(Entry(path: table, value: .object([])))
            } else {
                let path = table + (try keys(until: UInt8(ascii: "=")))
                skipBlank()
                let value = try value(depth: 0)
                guard !entries.contains(where: { $0.path == path }) else { throw failure("key is there twice") }
                entries.append(Entry(path: path, value: value))
            }
            skipBlank()
            guard peek == nil || peek == 10 else { throw failure("expected the end of the line") }
        }
        return entries
    }

    // MARK: Keys

    private mutating func keys(until end: UInt8) throws(Malformed) -> [String] {
        var names: [String] = []
        while true {
            skipBlank()
            names.append(try key())
            skipBlank()
            guard let byte = peek, byte == end || byte == UInt8(ascii: ".") else { throw failure("malformed key") }
            position += 1
            if byte == end { return names }
        }
    }

    private mutating func key() throws(Malformed) -> String {
        if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") { return try string() }
        let start = position
        while let byte = peek, Self.isBare(byte) { position += 1 }
        guard position > start else { throw failure("expected a key") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
        switch peek {
        case UInt8(ascii: "\"")?, UInt8(ascii: "'")?: return .string(try string())
        case UInt8(ascii: "[")? where depth < Self.maximumDepth: return try array(depth: depth)
        default:
            let start = position
            while let byte = peek, Self.isBare(byte) || byte == UInt8(ascii: "+") { position += 1 }
            let word = String(decoding: bytes[start..<position], as: UTF8.self)
            if word == "true" || word == "false" { return .bool(word == "true") }
            guard let number = Int64(word) else { throw failure("unsupported value") }
            return .int(number)
        }
    }

    private mutating func array(depth: Int) throws(Malformed) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        while true {
            skipBlank(withNewlines: true)
            if take(UInt8(ascii: "]")) { return .array(values) }
            values.append(try value(depth: depth + 1))
            skipBlank(withNewlines: true)
            if take(UInt8(ascii: ",")) { continue }
            guard peek == UInt8(ascii: "]") else { throw failure("expected , or ] in an array") }
        }
    }

    /// A basic ("…", with escapes) or a literal ('…') string of one line.
    private mutating func string() throws(Malformed) -> String {
        let quote = bytes[position]
        position += 1
        var text: [UInt8] = []
        while let byte = peek, byte != 10 {
            position += 1
            if byte == quote { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                text.append(try escape())
            } else {
                text.append(byte)
            }
        }
        throw failure("string without an end")
    }

    private mutating func escape() throws(Malformed) -> UInt8 {
        let known: [UInt8: UInt8] = [
            UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "n"): 10,
            UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13,
        ]
        guard let byte = peek, let meant = known[byte] else { throw failure("unsupported escape") }
        position += 1
        return meant
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    /// White space and comments.
    private mutating func skipBlank(withNewlines: Bool = false) {
        while let byte = peek {
            switch byte {
            case 32, 9, 13: position += 1
            case UInt8(ascii: "#"): while let other = peek, other != 10 { position += 1 }
            case 10 where withNewlines:
                position += 1
                line += 1
            default: return
            }
        }
    }

    private func failure(_ reason: String) -> Malformed { Malformed(line: line, reason: reason) }
}

// SPDX-License-Identifier: Apache-2.0
import JSON

/// Reads YAML's values that stand on a line: flow collections, quoted text, plain scalars.
struct YAMLScanner {
    enum Outcome {
        case found(JSONValue)
        /// A collection or a quote goes on on the next line.
        case incomplete
        case invalid(String)
    }

    private static let deepest = 64

    /// What was not read yet.
    private(set) var rest: Substring

    init(_ text: Substring) { rest = text }

    /// - Parameter depth: how many collections it is in.
    mutating func value(_ depth: Int) -> Outcome {
        skipSpace()
        guard depth < Self.deepest else { return .invalid("nested too deeply") }
        switch rest.first {
        case nil: return .incomplete
        case "[": return sequence(depth)
        case "{": return mapping(depth)
        case "\"", "'": return quoted().map { .found(.string($0)) } ?? .incomplete
        case "&", "*", "!": return .invalid("anchors and tags are not supported")
        default: return .found(Self.scalar(plain(inFlow: false)))
        }
    }

    private mutating func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\t" } }

    // MARK: Collections

    private mutating func sequence(_ depth: Int) -> Outcome {
        rest.removeFirst()
        var items: [JSONValue] = []
        while true {
            skipSpace()
            guard let next = rest.first else { return .incomplete }
            if next == "]" { break }
            switch item(depth) {
            case .found(let value): items.append(value)
            case let other: return other
            }
            if let problem = separator("]") { return problem }
        }
        rest.removeFirst()
        return .found(.array(items))
    }

    private mutating func mapping(_ depth: Int) -> Outcome {
        rest.removeFirst()
        var members: [JSONValue.Member] = []
        while true {
            skipSpace()
            guard let next = rest.first else { return .incomplete }
            if next == "}" { break }
            guard let key = next == "\"" || next == "'" ? quoted() : plain(inFlow: true) else { return .incomplete }
            skipSpace()
            guard rest.first == ":" else { return rest.isEmpty ? .incomplete : .invalid("expected a colon") }
            rest.removeFirst()
            switch item(depth) {
            case .found(let value): members.append(.init(key, value))
            case let other: return other
            }
            if let problem = separator("}") { return problem }
        }
        rest.removeFirst()
        return .found(.object(members))
    }

    private mutating func item(_ depth: Int) -> Outcome {
        skipSpace()
        guard let next = rest.first else { return .incomplete }
        if "[{\"'&*!".contains(next) { return value(depth + 1) }
        return .found(Self.scalar(plain(inFlow: true)))
    }

    /// Behind an item: a comma, which is taken, or the end, which is not; nil if there was one of them.
    private mutating func separator(_ end: Character) -> Outcome? {
        skipSpace()
        guard let next = rest.first else { return .incomplete }
        if next == end { return nil }
        guard next == "," else { return .invalid("expected a comma") }
        rest.removeFirst()
        return nil
    }

    // MARK: Scalars

    /// Text in quotes; nil if it has no end.
    mutating func quoted() -> String? {
        guard let quote = rest.first else { return nil }
        var left = rest.dropFirst()
        var text = ""
        while let character = left.popFirst() {
            if character == quote {
                guard quote == "'", left.first == "'" else {
                    rest = left
                    return text
                }
                left.removeFirst()
                text.append("'")
            } else if character == "\\", quote == "\"" {
                guard let escaped = Self.escaped(&left) else { return nil }
                text.append(escaped)
            } else {
                text.append(character)
            }
        }
        return nil
    }

    private static let escapes: [Character: Character] = [
        "n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\u{1B}", "a": "\u{07}", "b": "\u{08}", "f": "\u{0C}",
        "v": "\u{0B}",
    ]
    private static let codes: [Character: Int] = ["x": 2, "u": 4, "U": 8]

    private static func escaped(_ text: inout Substring) -> Character? {
        guard let letter = text.popFirst() else { return nil }
        guard let digits = codes[letter] else { return escapes[letter] ?? letter }
        let code = text.prefix(digits)
        text = text.dropFirst(digits)
        return UInt32(code, radix: 16).flatMap { Unicode.Scalar($0) }.map { Character($0) }
    }

    private mutating func plain(inFlow: Bool) -> String {
        var end = rest.startIndex
        while end < rest.endIndex {
            let character = rest[end]
            let next = rest.index(after: end)
            let colonEnds = character == ":" && (next == rest.endIndex || " ,]}".contains(rest[next]))
            if inFlow, ",[]{}".contains(character) || colonEnds { break }
            end = next
        }
        var text = rest[..<end]
        rest = rest[end...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    private static func scalar(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: break
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            if let number = Int64(text.dropFirst(2), radix: radix) { return .int(number) }
        }
        return Int64(text).map { .int($0) } ?? .string(text)
    }
}

// SPDX-License-Identifier: Apache-2.0
import JSON

/// Reads the part of YAML 1.2 that people and tools write configuration in: block and flow collections, plain and quoted
/// scalars, literal and folded text, comments, one document. Anchors, tags, complex keys and plain text over several
/// lines are refused. Scalars get their type by YAML's core schema; numbers with a fraction stay text.
struct YAMLReader {
    struct Failure: Error, Equatable { var message: String }

    private struct Line {
        /// Counted from 1.
        var number: Int
        var indent: Int
        /// Without indentation and comment.
        var text: Substring
    }

    private static let deepest = 64

    private let raw: [Substring]
    private var lines: [Line] = []
    private var place = 0

    static func parse(_ text: String) throws(Failure) -> JSONValue {
        var reader = try YAMLReader(text)
        guard let first = reader.lines.first else { return .null }
        let value = try reader.block(indent: first.indent, depth: 0)
        if let line = reader.current { throw reader.failure("unexpected text", line) }
        return value
    }

    private init(_ text: String) throws(Failure) {
        raw = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in raw.enumerated() {
            let content = line.drop { $0 == " " }
            let text = Self.withoutComment(content)
            if text == "..." { break }
            if text.isEmpty || text == "---" || text.first == "%" { continue }
            if text.first == "\t" { throw Failure(message: "line \(index + 1): a tab cannot indent") }
            lines.append(Line(number: index + 1, indent: line.count - content.count, text: text))
        }
    }

    private var current: Line? { place < lines.count ? lines[place] : nil }

    private func failure(_ reason: String, _ line: Line) -> Failure {
        Failure(message: "line \(line.number): \(reason): \(line.text)")
    }

    /// A `#` begins a comment at the start and behind white space, unless it is quoted.
    private static func withoutComment(_ text: Substring) -> Substring {
        var quote: Character?
        var previous: Character = " "
        for (index, character) in zip(text.indices, text) {
            if let open = quote {
                if character == open, !(open == "\"" && previous == "\\") { quote = nil }
            } else if "\"'".contains(character), " [{,:-".contains(previous) {
                quote = character
            } else if character == "#", previous == " " || previous == "\t" {
                return trimmed(text[..<index])
            }
            previous = character
        }
        return trimmed(text)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}

// MARK: Blocks

extension YAMLReader {
    private mutating func block(indent: Int, depth: Int) throws(Failure) -> JSONValue {
        guard let line = current else { return .null }
        guard depth < Self.deepest else { throw failure("nested too deeply", line) }
        if Self.isEntry(line.text) { return try sequence(indent, depth) }
        if try key(line) != nil { return try mapping(indent, depth) }
        place += 1
        return try value(line.text, line, depth)
    }

    private static func isEntry(_ text: Substring) -> Bool { text == "-" || text.hasPrefix("- ") }

    private mutating func sequence(_ indent: Int, _ depth: Int) throws(Failure) -> JSONValue {
        var items: [JSONValue] = []
        while let line = current, line.indent == indent, Self.isEntry(line.text) {
            let rest = line.text.dropFirst().drop { $0 == " " }
            if rest.isEmpty {
                place += 1
                items.append(try nested(below: indent, depth))
            } else if rest.first == "|" || rest.first == ">" {
                place += 1
                items.append(.string(text(rest, below: indent, line)))
            } else {
                // What follows the dash is a block of its own, further to the right.
                let inner = indent + (line.text.count - rest.count)
                lines[place] = Line(number: line.number, indent: inner, text: rest)
                items.append(try block(indent: inner, depth: depth + 1))
            }
        }
        if let line = current, line.indent > indent { throw failure("indented too far", line) }
        return .array(items)
    }

    private mutating func mapping(_ indent: Int, _ depth: Int) throws(Failure) -> JSONValue {
        var members: [JSONValue.Member] = []
        while let line = current, line.indent == indent, !Self.isEntry(line.text) {
            guard let (name, rest) = try key(line) else { throw failure("expected key: value", line) }
            place += 1
            if members.contains(where: { $0.key == name }) { throw failure("the key is there twice", line) }
            members.append(.init(name, try member(rest, line, depth)))
        }
        if let line = current, line.indent > indent { throw failure("indented too far", line) }
        return .object(members)
    }

    private mutating func member(_ rest: Substring, _ line: Line, _ depth: Int) throws(Failure) -> JSONValue {
        if rest.first == "|" || rest.first == ">" { return .string(text(rest, below: line.indent, line)) }
        if !rest.isEmpty { return try value(rest, line, depth) }
        // The entries of a list may stand right below its key.
        if let next = current, next.indent == line.indent, Self.isEntry(next.text) {
            return try sequence(line.indent, depth + 1)
        }
        return try nested(below: line.indent, depth)
    }

    private mutating func nested(below indent: Int, _ depth: Int) throws(Failure) -> JSONValue {
        guard let next = current, next.indent > indent else { return .null }
        return try block(indent: next.indent, depth: depth + 1)
    }

    /// The key that a line begins with, and what follows it; nil if it has none.
    private func key(_ line: Line) throws(Failure) -> (String, Substring)? {
        let text = line.text
        if text.first == "?" { throw failure("complex keys are not supported", line) }
        var scanner = YAMLScanner(text)
        if text.first == "\"" || text.first == "'" {
            guard let name = scanner.quoted() else { throw failure("a quote is missing", line) }
            guard scanner.rest.first == ":" else { return nil }
            return (name, scanner.rest.dropFirst().drop { $0 == " " })
        }
        if text.first == "[" || text.first == "{" { return nil }
        guard let mark = text.indices.first(where: { Self.endsKey(text, $0) }) else { return nil }
        return (String(Self.trimmed(text[..<mark])), text[text.index(after: mark)...].drop { $0 == " " })
    }

    private static func endsKey(_ text: Substring, _ index: Substring.Index) -> Bool {
        let next = text.index(after: index)
        return text[index] == ":" && (next == text.endIndex || text[next] == " ")
    }

    /// Literal (`|`) or folded (`>`) text: the raw lines that are indented further.
    private mutating func text(_ header: Substring, below indent: Int, _ line: Line) -> String {
        var found: [Substring] = []
        var number = line.number  // the raw line behind the header
        while number < raw.count {
            let content = raw[number].drop { $0 == " " }
            if !content.isEmpty, raw[number].count - content.count <= indent { break }
            found.append(raw[number])
            number += 1
        }
        while let next = current, next.number <= number { place += 1 }
        while found.last?.allSatisfy({ $0 == " " }) == true { found.removeLast() }
        let margin = found.filter { !$0.isEmpty }.map { $0.count - $0.drop { $0 == " " }.count }.min() ?? 0
        let body = found.map { $0.dropFirst(margin) }.joined(separator: header.first == "|" ? "\n" : " ")
        return header.contains("-") || body.isEmpty ? body : body + "\n"
    }

    /// A flow collection or a scalar; collections may go on over the next lines.
    private mutating func value(_ text: Substring, _ line: Line, _ depth: Int) throws(Failure) -> JSONValue {
        var whole = String(text)
        while true {
            var scanner = YAMLScanner(whole[...])
            switch scanner.value(depth) {
            case .found(let value):
                if scanner.rest.isEmpty { return value }
                throw failure("unexpected text", line)
            case .invalid(let reason): throw failure(reason, line)
            case .incomplete:
                guard let next = current else { throw failure("the end is missing", line) }
                whole += " " + next.text
                place += 1
            }
        }
    }
}

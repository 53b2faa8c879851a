// SPDX-License-Identifier: Apache-2.0

/// One token inside `{{ }}`, or a stretch of text outside.
struct TemplateToken: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case text
        case open
        case close
        case field
        case dot
        case variable
        case identifier
        case string
        case character
        case number
        case pipe
        case declare
        case assign
        case comma
        case leftParen
        case rightParen
        case end
    }

    var kind: Kind
    var text: String
    var offset: Int
    /// Whether white space came before: `.a.b` is one operand, `.a .b` are two.
    var afterSpace = false
}

/// Cuts a template into tokens, taking care of comments and of the trim markers `{{-` and `-}}`.
struct TemplateLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var tokens: [TemplateToken] = []
    private var parenDepth = 0

    static func tokens(of template: String) throws(TemplateError) -> [TemplateToken] {
        var lexer = TemplateLexer(bytes: Array(template.utf8))
        return try lexer.run()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func run() throws(TemplateError) -> [TemplateToken] {
        var trimNext = false
        while true {
            let start = position
            guard let open = find("{{", from: position) else {
                addText(start, bytes.count, trimLeft: trimNext, trimRight: false)
                tokens.append(.init(kind: .end, text: "", offset: bytes.count))
                return tokens
            }
            let trims = open + 3 < bytes.count && bytes[open + 2] == UInt8(ascii: "-") && isSpace(bytes[open + 3])
            addText(start, open, trimLeft: trimNext, trimRight: trims)
            position = open + (trims ? 4 : 2)
            if has("/*", at: position) {
                trimNext = try skipComment()
            } else {
                tokens.append(.init(kind: .open, text: "{{", offset: open))
                trimNext = try action()
            }
        }
    }

    private mutating func addText(_ from: Int, _ to: Int, trimLeft: Bool, trimRight: Bool) {
        var from = from
        var to = to
        if trimLeft { while from < to, isSpace(bytes[from]) { from += 1 } }
        if trimRight { while to > from, isSpace(bytes[to - 1]) { to -= 1 } }
        if from < to { tokens.append(.init(kind: .text, text: slice(from, to), offset: from)) }
    }

    private mutating func skipComment() throws(TemplateError) -> Bool {
        guard let close = find("*/", from: position + 2) else { throw fail("unclosed comment") }
        position = close + 2
        if has("}}", at: position) {
            position += 2
            return false
        }
        if position < bytes.count, isSpace(bytes[position]), has("-}}", at: position + 1) {
            position += 4
            return true
        }
        throw fail("comment ends before closing delimiter")
    }

    /// Reads the tokens up to `}}`; the result says whether the text behind it is to be trimmed.
    private mutating func action() throws(TemplateError) -> Bool {
        parenDepth = 0
        while true {
            let before = position
            while position < bytes.count, isSpace(bytes[position]) { position += 1 }
            let spaced = position > before
            if has("}}", at: position) {
                if parenDepth > 0 { throw fail("unclosed left paren") }
                tokens.append(.init(kind: .close, text: "}}", offset: position))
                position += 2
                return false
            }
            if spaced, has("-}}", at: position) {
                if parenDepth > 0 { throw fail("unclosed left paren") }
                tokens.append(.init(kind: .close, text: "}}", offset: position))
                position += 3
                return true
            }
            guard position < bytes.count else { throw fail("unclosed action") }
            var token = try token()
            token.afterSpace = spaced
            tokens.append(token)
        }
    }

    private mutating func token() throws(TemplateError) -> TemplateToken {
        let start = position
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "|"): return single(.pipe)
        case UInt8(ascii: ","): return single(.comma)
        case UInt8(ascii: "="): return single(.assign)
        case UInt8(ascii: "("):
            parenDepth += 1
            return single(.leftParen)
        case UInt8(ascii: ")"):
            parenDepth -= 1
            if parenDepth < 0 { throw fail("unexpected right paren") }
            return single(.rightParen)
        case UInt8(ascii: ":"):
            guard has(":=", at: position) else { throw fail("expected :=") }
            position += 2
            return make(.declare, start)
        case UInt8(ascii: "\""): return try quotedText(.string, unclosed: "unterminated quoted string")
        case UInt8(ascii: "'"): return try quotedText(.character, unclosed: "unterminated character constant")
        case UInt8(ascii: "`"): return try rawText()
        case UInt8(ascii: "."), UInt8(ascii: "$"): return dotted()
        default: return try word()
        }
    }

    private mutating func dotted() -> TemplateToken {
        let start = position
        let isVariable = bytes[position] == UInt8(ascii: "$")
        position += 1
        if !isVariable, position < bytes.count, isDigit(bytes[position]) {
            while position < bytes.count, isWord(bytes[position]) { position += 1 }
            return make(.number, start)
        }
        while position < bytes.count, isWord(bytes[position]) { position += 1 }
        if isVariable { return make(.variable, start) }
        return make(position == start + 1 ? .dot : .field, start)
    }

    private mutating func word() throws(TemplateError) -> TemplateToken {
        let start = position
        let byte = bytes[position]
        let isSign = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
        if isDigit(byte) || (isSign && position + 1 < bytes.count && isDigit(bytes[position + 1])) {
            position += 1
            while position < bytes.count, isWord(bytes[position]) || bytes[position] == UInt8(ascii: ".") {
                position += 1
            }
            return make(.number, start)
        }
        guard isWord(byte) else { throw fail("unexpected " + describe(byte) + " in command") }
        while position < bytes.count, isWord(bytes[position]) { position += 1 }
        return make(.identifier, start)
    }

    private mutating func quotedText(
        _ kind: TemplateToken.Kind, unclosed: String
    ) throws(TemplateError) -> TemplateToken {
        let start = position
        let quote = bytes[position]
        position += 1
        while position < bytes.count, bytes[position] != quote {
            if bytes[position] == UInt8(ascii: "\n") { throw fail(unclosed) }
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < bytes.count else { throw fail(unclosed) }
        position += 1
        return make(kind, start)
    }

    private mutating func rawText() throws(TemplateError) -> TemplateToken {
        let start = position
        guard let end = find("`", from: position + 1) else { throw fail("unterminated raw quoted string") }
        position = end + 1
        return make(.string, start)
    }

    private mutating func single(_ kind: TemplateToken.Kind) -> TemplateToken {
        position += 1
        return make(kind, position - 1)
    }

    private func make(_ kind: TemplateToken.Kind, _ start: Int) -> TemplateToken {
        TemplateToken(kind: kind, text: slice(start, position), offset: start)
    }

    private func slice(_ from: Int, _ to: Int) -> String { String(decoding: bytes[from..<to], as: UTF8.self) }

    private func has(_ text: StaticString, at index: Int) -> Bool {
        guard index + text.utf8CodeUnitCount <= bytes.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where bytes[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    private func find(_ text: StaticString, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if has(text, at: index) { return index }
            index += 1
        }
        return nil
    }

    private func fail(_ reason: String) -> TemplateError {
        let line = 1 + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") }
        return .parse(reason, line: line)
    }

    private func describe(_ byte: UInt8) -> String {
        let hex = String(byte, radix: 16, uppercase: true)
        let code = String(repeating: "0", count: 4 - hex.utf8.count) + hex
        return byte >= 32 && byte < 127 ? "U+" + code + " '" + slice(position, position + 1) + "'" : "U+" + code
    }
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }

private func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

private func isWord(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || isDigit(byte) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte >= 0x80
}

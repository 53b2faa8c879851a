// SPDX-License-Identifier: Apache-2.0
import JSON

/// Builds the tree of a template from its tokens.
struct TemplateParser {
    private let source: [UInt8]
    private let tokens: [TemplateToken]
    private var index = 0
    private var loopDepth = 0
    /// How deep statements and parentheses are nested; each level takes a part of the stack.
    private var depth = 0
    private static let maximumDepth = 500
    /// The variables in scope: using an unknown one is a parse error.
    private var variables = ["$"]
    private(set) var definitions: [(name: String, body: [TemplateNode])] = []

    init(_ template: String) throws(TemplateError) {
        source = Array(template.utf8)
        tokens = try TemplateLexer.tokens(of: template)
    }

    mutating func parse() throws(TemplateError) -> [TemplateNode] {
        let (nodes, ending) = try list()
        if let ending { throw fail("unexpected {{" + ending + "}}") }
        return nodes
    }

    // MARK: Statements

    /// Nodes up to `{{end}}`, `{{else…` or the end of the template; the keyword that ended them is consumed.
    private mutating func list() throws(TemplateError) -> (nodes: [TemplateNode], ending: String?) {
        try enter()
        defer { depth -= 1 }
        var nodes: [TemplateNode] = []
        while true {
            let token = next()
            switch token.kind {
            case .end: return (nodes, nil)
            case .text: nodes.append(.text(token.text))
            case .open:
                let keyword = peek.kind == .identifier ? peek.text : ""
                if keyword == "end" || keyword == "else" {
                    _ = next()
                    if keyword == "end" { try expectClose(in: "end") }
                    return (nodes, keyword)
                }
                if let node = try statement(keyword) { nodes.append(node) }
            default: throw fail("unexpected " + quote(token.text))
            }
        }
    }

    private mutating func statement(_ keyword: String) throws(TemplateError) -> TemplateNode? {
        switch keyword {
        case "if", "range", "with":
            _ = next()
            return try block(keyword)
        case "define":
            _ = next()
            try definition()
            return nil
        case "template", "block":
            _ = next()
            return try include(isBlock: keyword == "block")
        case "break", "continue":
            _ = next()
            if loopDepth == 0 { throw fail("{{" + keyword + "}} outside {{range}}") }
            try expectClose(in: keyword)
            return keyword == "break" ? .breakLoop : .continueLoop
        default:
            return .action(try pipeline(in: "command", until: .close))
        }
    }

    private mutating func block(_ keyword: String) throws(TemplateError) -> TemplateNode {
        let scope = variables.count
        let condition = try pipeline(in: keyword, until: .close)
        if keyword == "range" { loopDepth += 1 }
        let (body, ending) = try list()
        if keyword == "range" { loopDepth -= 1 }
        guard let ending else { throw fail("unexpected EOF") }
        var otherwise: [TemplateNode] = []
        if ending == "else" { otherwise = try elseBranch(of: keyword) }
        variables.removeLast(variables.count - scope)
        switch keyword {
        case "if": return .condition(condition, then: body, otherwise: otherwise)
        case "range": return .range(condition, body: body, otherwise: otherwise)
        default: return .with(condition, body: body, otherwise: otherwise)
        }
    }

    private mutating func elseBranch(of keyword: String) throws(TemplateError) -> [TemplateNode] {
        try enter()
        defer { depth -= 1 }
        if peek.kind == .identifier, peek.text == keyword, keyword != "range" {
            _ = next()
            return [try block(keyword)]  // its {{end}} ends us too
        }
        try expectClose(in: "else")
        let (nodes, ending) = try list()
        guard let ending else { throw fail("unexpected EOF") }
        if ending == "else" { throw fail("expected end; found {{else}}") }
        return nodes
    }

    private mutating func definition() throws(TemplateError) {
        let name = try templateName(in: "define clause")
        try expectClose(in: "define clause")
        let (body, ending) = try list()
        guard ending == "end" else { throw fail("unexpected EOF") }
        definitions.append((name, body))
    }

    private mutating func include(isBlock: Bool) throws(TemplateError) -> TemplateNode {
        let open = tokens[index - 2].offset
        let offset = peek.offset
        let name = try templateName(in: isBlock ? "block clause" : "template clause")
        var argument: TemplatePipeline?
        if peek.kind == .close { _ = next() } else { argument = try pipeline(in: "template clause", until: .close) }
        let place = TemplatePlace(offset: offset, text: slice(open, tokens[index - 1].offset + 2))
        if isBlock {
            let (body, ending) = try list()
            guard ending == "end" else { throw fail("unexpected EOF") }
            definitions.append((name, body))
        }
        return .include(name: name, argument: argument, place: place)
    }

    private mutating func templateName(in context: String) throws(TemplateError) -> String {
        let token = next()
        guard token.kind == .string else { throw fail("unexpected " + quote(token.text) + " in " + context) }
        return try unquote(token)
    }

    // MARK: Pipelines

    private mutating func pipeline(
        in context: String, until closing: TemplateToken.Kind
    ) throws(TemplateError) -> TemplatePipeline {
        try enter()
        defer { depth -= 1 }
        let start = peek.offset
        var pipeline = TemplatePipeline(place: .init(offset: start, text: ""))
        try declarations(of: &pipeline, allowsTwo: context == "range")
        while true {
            if peek.kind == closing {
                if pipeline.calls.isEmpty { throw fail("missing value for " + context) }
                break
            }
            pipeline.calls.append(try call(in: context))
            if peek.kind == .pipe {
                _ = next()
                if peek.kind == closing { throw fail("missing value for " + context) }
            }
        }
        pipeline.place.text = slice(start, peek.offset).trimmed
        _ = next()
        variables += pipeline.isAssignment ? [] : pipeline.variables
        return pipeline
    }

    private mutating func declarations(
        of pipeline: inout TemplatePipeline, allowsTwo: Bool
    ) throws(TemplateError) {
        guard peek.kind == .variable else { return }
        var names = [peek.text]
        var ahead = index + 1
        if allowsTwo, tokens[ahead].kind == .comma, tokens[ahead + 1].kind == .variable {
            names.append(tokens[ahead + 1].text)
            ahead += 2
        }
        let kind = tokens[ahead].kind
        guard kind == .declare || kind == .assign else { return }
        index = ahead + 1
        pipeline.variables = names
        pipeline.isAssignment = kind == .assign
        if kind == .assign, let unknown = names.first(where: { !variables.contains($0) }) {
            throw fail("undefined variable " + quote(unknown))
        }
    }

    private mutating func call(in context: String) throws(TemplateError) -> TemplateCall {
        let start = peek.offset
        var operands: [TemplateOperand] = []
        while true {
            switch peek.kind {
            case .close, .rightParen, .pipe, .end:
                if operands.isEmpty { throw fail("missing value for " + context) }
                let text = slice(start, peek.offset).trimmed
                return TemplateCall(operands: operands, place: .init(offset: start, text: text))
            default: operands.append(try operand(in: context))
            }
        }
    }

    private mutating func operand(in context: String) throws(TemplateError) -> TemplateOperand {
        let token = next()
        var operand = TemplateOperand(base: try base(token), place: .init(offset: token.offset, text: token.text))
        if token.kind == .field { operand.fields.append(String(token.text.utf8.dropFirst()) ?? "") }
        var chained = false
        while peek.kind == .field, !peek.afterSpace {
            let field = next()
            // Go blames the second link of a chain, whichever failed.
            if !chained { operand.place.offset = field.offset }
            chained = true
            operand.fields.append(String(field.text.utf8.dropFirst()) ?? "")
        }
        if chained || token.kind == .leftParen {
            operand.place.text = slice(token.offset, tokens[index - 1].offset + tokens[index - 1].text.utf8.count)
        }
        return operand
    }

    private mutating func base(_ token: TemplateToken) throws(TemplateError) -> TemplateOperand.Base {
        switch token.kind {
        case .dot, .field: return .dot
        case .variable:
            if !variables.contains(token.text) { throw fail("undefined variable " + quote(token.text)) }
            return .variable(token.text)
        case .identifier: return try word(token.text)
        case .string: return .literal(.string(try unquote(token)))
        case .character: return .literal(.int(try characterCode(token)))
        case .number: return .literal(.json(try number(token)))
        case .leftParen: return .pipeline(try pipeline(in: "parenthesized pipeline", until: .rightParen))
        default: throw fail("unexpected " + quote(token.text) + " in operand")
        }
    }

    private func word(_ text: String) throws(TemplateError) -> TemplateOperand.Base {
        switch text {
        case "true": return .literal(.bool(true))
        case "false": return .literal(.bool(false))
        case "nil": return .nilLiteral
        default:
            guard TemplateFunctions.names.contains(text) else { throw fail("function " + quote(text) + " not defined") }
            return .function(text)
        }
    }

    private func number(_ token: TemplateToken) throws(TemplateError) -> JSONValue {
        let text = token.text.filter { $0 != "_" }
        if let value = Int64(text) { return .int(value) }
        if text.hasPrefix("0x"), let value = Int64(text.dropFirst(2), radix: 16) { return .int(value) }
        if Double(text) != nil { return .number(text: text) }
        throw fail("bad number syntax: " + quote(token.text))
    }

    private mutating func enter() throws(TemplateError) {
        depth += 1
        if depth > Self.maximumDepth { throw fail("exceeded maximum nesting depth (\(Self.maximumDepth))") }
    }

    // MARK: Tokens

    private var peek: TemplateToken { tokens[index] }

    private mutating func next() -> TemplateToken {
        let token = tokens[index]
        if index + 1 < tokens.count { index += 1 }
        return token
    }

    private mutating func expectClose(in context: String) throws(TemplateError) {
        let token = next()
        if token.kind != .close { throw fail("unexpected " + quote(token.text) + " in " + context) }
    }

    private func slice(_ from: Int, _ to: Int) -> String {
        String(decoding: source[from..<max(from, to)], as: UTF8.self)
    }

    private func fail(_ reason: String) -> TemplateError {
        let offset = tokens[max(0, index - 1)].offset
        return .parse(reason, line: 1 + source[..<offset].count { $0 == UInt8(ascii: "\n") })
    }

    private func unquote(_ token: TemplateToken) throws(TemplateError) -> String {
        guard let text = goUnquoted(token.text) else { throw fail("invalid syntax") }
        return text
    }

    private func characterCode(_ token: TemplateToken) throws(TemplateError) -> Int {
        guard let scalar = goUnquoted(token.text)?.unicodeScalars.first else {
            throw fail("malformed character constant: " + token.text)
        }
        return Int(scalar.value)
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var bytes = Substring(self).utf8
        while let first = bytes.first, first == 32 || first == 9 || first == 10 { bytes.removeFirst() }
        while let last = bytes.last, last == 32 || last == 9 || last == 10 { bytes.removeLast() }
        return String(bytes) ?? self
    }
}

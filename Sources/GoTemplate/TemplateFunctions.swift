// SPDX-License-Identifier: Apache-2.0
import JSON

/// The functions a template may call: Go's own and docker's.
enum TemplateFunctions {
    enum Failure: Error {
        /// Wrong number or kind of arguments: the text is the whole reason.
        case arguments(String)
        /// The function itself failed.
        case failed(String)
    }

    static let names: [String] = [
        "and", "call", "eq", "ge", "gt", "html", "index", "join", "js", "json", "le", "len", "lower", "lt", "ne",
        "not", "or", "pad", "print", "printf", "println", "slice", "split", "title", "truncate", "upper", "urlquery",
    ]

    /// Whether the function leaves column titles alone.
    static func keepsHeader(_ name: String) -> Bool {
        switch name {
        case "json", "split", "join", "title", "lower", "upper", "truncate": true
        default: false
        }
    }

    static func call(_ name: String, _ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        switch name {
        case "print": return .string(GoFormat.print(arguments))
        case "println": return .string(GoFormat.println(arguments))
        case "printf":
            guard let format = arguments.first else { throw tooFew(name, wanted: 1, got: 0, orMore: true) }
            return .string(GoFormat.printf(format.text, Array(arguments.dropFirst())))
        case "html": return .string(escapeHTML(GoFormat.print(arguments)))
        case "js": return .string(escapeJavaScript(GoFormat.print(arguments)))
        case "urlquery": return .string(escapeQuery(GoFormat.print(arguments)))
        case "index": return try index(arguments)
        case "slice": return try slice(arguments)
        case "and", "or":
            guard let last = arguments.last else { throw tooFew(name, wanted: 1, got: 0, orMore: true) }
            return last
        case "eq", "ne", "lt", "le", "gt", "ge": return .bool(try TemplateComparison.compare(name, arguments))
        case "call": throw .failed("non-function of type " + (arguments.first?.typeName ?? "nil"))
        default: return try fixed(name, arguments)
        }
    }

    /// Functions with a fixed number of arguments.
    private static func fixed(_ name: String, _ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        let wanted = name == "pad" ? 3 : (["split", "join", "truncate"].contains(name) ? 2 : 1)
        guard arguments.count == wanted else { throw tooFew(name, wanted: wanted, got: arguments.count, orMore: false) }
        switch name {
        case "not": return .bool(!arguments[0].isTrue)
        case "len": return .int(try length(arguments[0]))
        case "json": return .string(json(arguments[0]))
        case "lower": return .string(try text(arguments[0]).lowercased())
        case "upper": return .string(try text(arguments[0]).uppercased())
        case "title": return .string(title(try text(arguments[0])))
        case "split": return .list(try split(text(arguments[0]), text(arguments[1])).map { .string($0) })
        case "join": return .string(try texts(arguments[0]).joined(separator: text(arguments[1])))
        case "pad":
            let (before, after) = (try number(arguments[1]), try number(arguments[2]))
            let body = arguments[0].text
            if body.isEmpty || (before == 0 && after == 0) { return .string(body) }
            return .string(
                String(repeating: " ", count: max(0, before)) + body + String(repeating: " ", count: max(0, after)))
        default:
            let scalars = try text(arguments[0]).unicodeScalars
            var cut = String.UnicodeScalarView()
            cut.append(contentsOf: scalars.prefix(max(0, try number(arguments[1]))))
            return .string(String(cut))
        }
    }

    /// A row is escaped for HTML as Go's encoder does by default; other values are not.
    private static func json(_ value: TemplateValue) -> String {
        if case .record(let record) = value { return record.json.serialized(JSONFormat(escapesHTML: true)) }
        return value.asJSON.serialized()
    }

    // MARK: Collections

    private static func length(_ value: TemplateValue) throws(Failure) -> Int {
        switch value {
        case .list(let values): return values.count
        case .json(.array(let values)): return values.count
        case .json(.object(let members)): return members.count
        case .json(.string(let text)): return text.utf8.count
        case .nilList, .nilMap: return 0
        case .json(.null), .missing: throw .failed("len of nil pointer")
        default: throw .failed("len of type " + value.typeName)
        }
    }

    private static func index(_ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        guard var value = arguments.first else { throw tooFew("index", wanted: 1, got: 0, orMore: true) }
        for key in arguments.dropFirst() { value = try element(of: value, key) }
        return value
    }

    private static func element(of value: TemplateValue, _ key: TemplateValue) throws(Failure) -> TemplateValue {
        switch value {
        case .missing, .json(.null): throw .failed("index of untyped nil")
        case .nilList: throw .failed("index out of range: " + key.text)
        case .nilMap: return .string("")
        case .json(.object):
            guard case .json(.string(let name)) = key else {
                throw .failed("value has type " + key.typeName + "; should be string")
            }
            // A missing entry of a map of strings is the empty string.
            return value.asJSON[name].map { .json($0) } ?? .string("")
        case .list(let values): return values[try position(key, values.count)]
        case .json(.array(let values)): return .json(values[try position(key, values.count)])
        case .json(.string(let text)):
            let bytes = Array(text.utf8)
            return .int(Int(bytes[try position(key, bytes.count)]))
        default: throw .failed("can't index item of type " + value.typeName)
        }
    }

    private static func position(_ key: TemplateValue, _ count: Int, upTo: Bool = false) throws(Failure) -> Int {
        guard case .json(.int(let number)) = key else {
            throw .failed("cannot index slice/array with type " + key.typeName)
        }
        guard number >= 0, number < Int64(count) || (upTo && number == Int64(count)) else {
            throw .failed("index out of range: \(number)")
        }
        return Int(number)
    }

    private static func slice(_ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        guard let value = arguments.first else { throw tooFew("slice", wanted: 1, got: 0, orMore: true) }
        let count: Int
        if case .json(.string(let text)) = value { count = text.utf8.count } else { count = try length(value) }
        if arguments.count > 4 { throw .failed("too many slice indexes: \(arguments.count - 1)") }
        let from = arguments.count > 1 ? try position(arguments[1], count, upTo: true) : 0
        let to = arguments.count > 2 ? try position(arguments[2], count, upTo: true) : count
        if from > to { throw .failed("invalid slice index: \(from) > \(to)") }
        switch value {
        case .json(.string(let text)):
            return .string(String(decoding: Array(text.utf8)[from..<to], as: UTF8.self))
        case .json(.array(let values)): return .json(.array(Array(values[from..<to])))
        case .list(let values): return .list(Array(values[from..<to]))
        default: throw .failed("can't slice item of type " + value.typeName)
        }
    }

    // MARK: Text

    private static func split(_ text: String, _ separator: String) -> [String] {
        let bytes = Array(text.utf8)
        let mark = Array(separator.utf8)
        if mark.isEmpty { return text.unicodeScalars.map { String($0) } }
        var parts: [String] = []
        var start = 0
        var index = 0
        while index + mark.count <= bytes.count {
            if Array(bytes[index..<index + mark.count]) == mark {
                parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
                index += mark.count
                start = index
            } else {
                index += 1
            }
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }

    /// The first letter of each word in upper case.
    private static func title(_ text: String) -> String {
        var out = ""
        var startsWord = true
        for character in text {
            out += startsWord ? String(character).uppercased() : String(character)
            startsWord = character.isWhitespace || (character.isPunctuation && character != "_" && character != "'")
        }
        return out
    }

    private static func text(_ value: TemplateValue) throws(Failure) -> String {
        guard case .json(.string(let text)) = value else {
            throw .arguments("wrong type for value; expected string; got " + value.typeName)
        }
        return text
    }

    private static func number(_ value: TemplateValue) throws(Failure) -> Int {
        guard case .json(.int(let number)) = value else {
            throw .arguments("wrong type for value; expected int; got " + value.typeName)
        }
        return Int(number)
    }

    private static func texts(_ value: TemplateValue) throws(Failure) -> [String] {
        switch value {
        case .list(let values): return values.map(\.text)
        case .json(.array(let values)): return values.map { TemplateValue.json($0).text }
        case .json(.null), .missing, .nilList: return []
        default: throw .arguments("wrong type for value; expected []string; got " + value.typeName)
        }
    }

    private static func tooFew(_ name: String, wanted: Int, got: Int, orMore: Bool) -> Failure {
        .arguments(
            "wrong number of args for " + name + ": want " + (orMore ? "at least " : "") + "\(wanted) got \(got)")
    }
}

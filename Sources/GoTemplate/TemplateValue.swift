// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What an expression of a template evaluates to.
package indirect enum TemplateValue: Sendable {
    case json(JSONValue)
    /// A map entry that is not there; prints as `<no value>`.
    case missing
    /// A slice or a map of Go that is nil: prints as an empty one, but is null as JSON.
    case nilList
    case nilMap
    case record(TemplateRecord)
    case list([TemplateValue])

    package static func string(_ text: String) -> TemplateValue { .json(.string(text)) }
    package static func int(_ value: Int) -> TemplateValue { .json(.int(Int64(value))) }
    package static func bool(_ value: Bool) -> TemplateValue { .json(.bool(value)) }
}

/// One row of a list command: named fields, and fields that take arguments (`.Label "x"`).
package struct TemplateRecord: Sendable {
    package typealias Method = @Sendable (_ name: String, _ arguments: [String]) -> JSONValue?

    /// The Go type that errors about unknown fields name, since people search for these texts.
    package var typeName: String
    package var fields: [(name: String, value: JSONValue)]
    package var method: Method?
    /// What `{{json .}}` prints, if not the fields.
    private var ownJSON: JSONValue?

    package init(
        typeName: String, fields: [(name: String, value: JSONValue)], method: Method? = nil, json: JSONValue? = nil
    ) {
        ownJSON = json
        self.typeName = typeName
        self.fields = fields
        self.method = method
    }

    func field(_ name: String) -> JSONValue? {
        for field in fields where field.name == name { return field.value }
        return nil
    }

    /// All fields, sorted by name: what `{{json .}}` and `--format json` print.
    package var json: JSONValue { ownJSON ?? .sorted(fields.map { ($0.name, $0.value) }) }
}

extension TemplateValue {
    /// Whether `if`, `and`, `or` take the value as true: not empty, not zero, not nil.
    var isTrue: Bool {
        switch self {
        case .missing, .nilList, .nilMap: false
        case .record: true
        case .list(let values): !values.isEmpty
        case .json(let value): TemplateValue.isTrue(value)
        }
    }

    private static func isTrue(_ value: JSONValue) -> Bool {
        switch value {
        case .null: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .number(let text): Double(text).map { $0 != 0 } ?? true
        case .string(let text): !text.isEmpty
        case .array(let values): !values.isEmpty
        // Go's structs are always true, its maps when they have entries; JSON does not tell them apart.
        case .object(let members): !members.isEmpty
        }
    }

    /// The value as JSON, for functions that take any value.
    var asJSON: JSONValue {
        switch self {
        case .json(let value): value
        case .missing, .nilList, .nilMap: .null
        case .record(let record): record.json
        case .list(let values): .array(values.map(\.asJSON))
        }
    }

    /// The Go type, for error messages.
    var typeName: String {
        switch self {
        case .record(let record): record.typeName
        case .missing: "<nil>"
        case .list, .nilList: "[]string"
        case .nilMap: "map[string]string"
        case .json(let value): TemplateValue.typeName(value)
        }
    }

    private static func typeName(_ value: JSONValue) -> String {
        switch value {
        case .null: "<nil>"
        case .bool: "bool"
        case .int: "int"
        case .number: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }
}

// MARK: Printing

extension TemplateValue {
    /// The value as Go's `%v` prints it.
    package var text: String {
        switch self {
        case .missing: "<no value>"
        case .nilList: "[]"
        case .nilMap: "map[]"
        case .record(let record): "{" + record.fields.map { TemplateValue.text($0.value) }.joined(separator: " ") + "}"
        case .list(let values): "[" + values.map(\.text).joined(separator: " ") + "]"
        case .json(let value): TemplateValue.text(value)
        }
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: return "<nil>"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .number(let text): return text
        case .string(let text): return text
        case .array(let values): return "[" + values.map(text).joined(separator: " ") + "]"
        case .object(let members):
            if members.looksLikeStruct { return "{" + members.map { text($0.value) }.joined(separator: " ") + "}" }
            let sorted = members.sorted { $0.key < $1.key }
            // In docker's maps an empty object is a set's `struct{}` (volumes, exposed ports).
            let texts = sorted.map { $0.key + ":" + ($0.value.members?.isEmpty == true ? "{}" : text($0.value)) }
            return "map[" + texts.joined(separator: " ") + "]"
        }
    }
}

extension [JSONValue.Member] {
    /// The Engine API writes Go structs with capitalised keys; label and option maps have whatever keys users chose.
    var looksLikeStruct: Bool {
        !isEmpty && allSatisfy { $0.key.startsLikeGoField }
    }
}

extension String {
    /// Whether this could be the name of an exported Go field: a capital, then letters and digits.
    var startsLikeGoField: Bool {
        guard let first = utf8.first, first >= 65, first <= 90 else { return false }
        return utf8.allSatisfy { byte in
            (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A JSON document (RFC 8259) as a tree. Objects keep the order of their members, so that what is written reads like
/// what a Go program would write.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    /// A number that Int64 cannot hold exactly; `text` is kept as it was read.
    case number(text: String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }
}

// MARK: Reading members

extension JSONValue {
    /// The member's value, or nil if this is no object or has no such member. Of duplicates the last one counts, as in
    /// Go.
    package subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.withUnsafeBufferPointer { members in
            // By position: a loop over the members themselves would count references to each of them.
            members.indices.last { members[$0].key == key }.map { members[$0].value }
        }
    }

    package var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    package var int: Int64? {
        guard case .int(let value) = self else { return nil }
        return value
    }

    /// The number as an unsigned one: `UInt64.max` occurs in runtime specs (rlimits).
    package var uint: UInt64? {
        switch self {
        case .int(let value): value >= 0 ? UInt64(value) : nil
        case .number(let text): UInt64(text)
        default: nil
        }
    }

    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var array: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    package var members: [Member]? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    package var isNull: Bool {
        guard case .null = self else { return false }
        return true
    }

    /// The strings of an array of strings; nil if it is anything else.
    package var strings: [String]? {
        guard case .array(let values) = self else { return nil }
        var strings: [String] = []
        for value in values {
            guard case .string(let text) = value else { return nil }
            strings.append(text)
        }
        return strings
    }

    /// The pairs of an object whose values are all strings; nil if it is anything else.
    package var stringPairs: [(key: String, value: String)]? {
        guard case .object(let members) = self else { return nil }
        var pairs: [(key: String, value: String)] = []
        for member in members {
            guard case .string(let text) = member.value else { return nil }
            pairs.append((member.key, text))
        }
        return pairs
    }

    /// The Go name of the kind, for error messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .int, .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

// MARK: Building

extension JSONValue {
    /// A number that may be greater than `Int64.max`.
    package static func unsigned(_ value: UInt64) -> JSONValue {
        Int64(exactly: value).map { .int($0) } ?? .number(text: String(value))
    }

    package static func strings(_ values: [String]) -> JSONValue {
        var array: [JSONValue] = []
        for value in values { array.append(.string(value)) }
        return .array(array)
    }

    /// An object whose members are sorted by key, as Go writes a map.
    package static func sorted(_ pairs: [(key: String, value: JSONValue)]) -> JSONValue {
        var members: [Member] = []
        for pair in pairs { members.append(Member(pair.key, pair.value)) }
        members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return .object(members)
    }

    /// Replaces the member or adds it at the end; a value that is no object becomes one.
    package mutating func set(_ key: String, _ value: JSONValue) {
        var list: [Member] = []
        if case .object(let existing) = self { list = existing }
        self = .null  // `list` alone owns the members now, which are then changed in place
        if let index = list.lastIndex(where: { $0.key == key }) {
            list[index].value = value
        } else {
            list.append(Member(key, value))
        }
        self = .object(list)
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }

    /// Members in the order in which they are written.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        var members: [Member] = []
        for element in elements { members.append(Member(element.0, element.1)) }
        self = .object(members)
    }
}

// SPDX-License-Identifier: Apache-2.0
import JSON

/// A filter that docker refuses; the text is docker's.
package struct FilterError: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}

/// The `filters` parameter of list, prune and events requests: for each key a set of values. A key with several values
/// is matched by any of them, several keys must all match.
package struct Filters: Sendable {
    package struct Field: Sendable, Equatable {
        package var key: String
        package var values: [String]
    }

    package private(set) var fields: [Field] = []

    package init() {}

    /// Reads `{"k":{"v":true}}`, the form of today, and `{"k":["v"]}`, that of API 1.21 and of many libraries.
    package init(parsing text: String?) throws(FilterError) {
        guard let text, !text.isEmpty else { return }
        guard let value = try? JSONValue(parsing: text), let members = value.members else {
            throw FilterError("invalid filter")
        }
        for member in members {
            if let list = member.value.strings {
                fields.append(Field(key: member.key, values: list))
            } else if let set = member.value.members, set.allSatisfy({ $0.value.bool != nil }) {
                fields.append(Field(key: member.key, values: set.filter { $0.value == .bool(true) }.map(\.key)))
            } else {
                throw FilterError("invalid filter")
            }
        }
    }

    package var isEmpty: Bool { fields.isEmpty }

    /// Whether the key is given with at least one value.
    package func contains(_ key: String) -> Bool { !values(key).isEmpty }

    package func values(_ key: String) -> [String] {
        fields.filter { $0.key == key }.flatMap(\.values)
    }

    /// Refuses keys that the request does not know.
    package func allow(only keys: [String]) throws(FilterError) {
        for field in fields where !keys.contains(field.key) { throw FilterError("invalid filter '\(field.key)'") }
    }

    /// The key's value as a flag; nil if it is absent, an error if it is no flag or contradicts itself.
    package func bool(_ key: String) throws(FilterError) -> Bool? {
        let given = values(key)
        if given.isEmpty { return nil }
        let isTrue = given.contains { ["1", "true", "True", "TRUE"].contains($0) }
        let isFalse = given.contains { ["0", "false", "False", "FALSE"].contains($0) }
        if isTrue != isFalse { return isTrue }  // docker passes over other values beside a flag
        throw FilterError("invalid filter '\(key)=[\(given.joined(separator: " "))]'")
    }
}

// MARK: Matching; an absent key matches everything

extension Filters {
    package func matches(_ key: String, exactly candidate: String) -> Bool {
        let given = values(key)
        return given.isEmpty || given.contains(candidate)
    }

    package func matches(_ key: String, anyOf candidates: [String]) -> Bool {
        let given = values(key)
        return given.isEmpty || given.contains { candidates.contains($0) }
    }

    /// The candidate begins with a value.
    package func matches(_ key: String, prefixOf candidate: String) -> Bool {
        let given = values(key)
        return given.isEmpty || given.contains { candidate.hasPrefix($0) }
    }

    /// A value is the candidate, or a regular expression that matches a part of it; one that is none matches nothing.
    package func matches(_ key: String, within candidate: String) -> Bool {
        let given = values(key)
        return given.isEmpty || given.contains(candidate)
            || given.contains { RegularExpression($0)?.hasMatch(in: candidate) ?? false }
    }

    /// Every `label=K` or `label=K=V` must hold, unlike with other keys; the same goes for `label!`, negated.
    package func matches(labels: [(key: String, value: String)], key: String = "label") -> Bool {
        values(key).allSatisfy { Self.has($0, in: labels) } && !values(key + "!").contains { Self.has($0, in: labels) }
    }

    private static func has(_ wanted: String, in labels: [(key: String, value: String)]) -> Bool {
        let parts = wanted.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return labels.contains { $0.key == parts[0] && (parts.count == 1 || $0.value == parts[1]) }
    }
}

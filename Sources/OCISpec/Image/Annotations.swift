// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Annotations of an image document in the order they were written. An array, because Embedded Swift should not need
/// dictionaries.
package struct Annotations: Sendable, Equatable {
    package struct Pair: Sendable, Equatable {
        package var key: String
        package var value: String
    }

    package var pairs: [Pair]

    package init(_ pairs: [Pair] = []) { self.pairs = pairs }

    /// Reads a JSON object of strings; an absent member is no annotation at all.
    package init(_ json: JSONValue?) throws(ImageSpecError) {
        pairs = []
        guard let json, !json.isNull else { return }
        guard let members = json.stringPairs else { throw ImageSpecError("annotations must be an object of strings") }
        for member in members { self[member.key] = member.value }
    }

    package subscript(key: String) -> String? {
        get {
            for pair in pairs where pair.key == key { return pair.value }
            return nil
        }
        set {
            pairs.removeAll { $0.key == key }
            if let newValue { pairs.append(Pair(key: key, value: newValue)) }
        }
    }

    package var isEmpty: Bool { pairs.isEmpty }

    /// As JSON, sorted by key.
    package var json: JSONValue {
        var members: [(key: String, value: JSONValue)] = []
        for pair in pairs { members.append((pair.key, .string(pair.value))) }
        return .sorted(members)
    }
}

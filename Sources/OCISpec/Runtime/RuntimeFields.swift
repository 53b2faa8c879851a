// SPDX-License-Identifier: Apache-2.0
import JSON

/// What is wrong with a config.json, with the place of the mistake: `process.args: expected array, found number`.
package struct RuntimeSpecError: Error, Sendable, Equatable {
    package var message: String

    package init(_ message: String) { self.message = message }
}

/// One JSON object of a runtime spec, read member by member; it knows where it stands, for the error texts.
/// Unknown members are ignored, as the spec asks; `null` counts as absent, as in Go.
struct RuntimeFields {
    private let value: JSONValue
    private let path: String

    init(_ value: JSONValue, path: String = "") throws(RuntimeSpecError) {
        self.value = value
        self.path = path
        if value.members == nil { throw mismatch("", "object", value) }
    }

    private func member(_ key: String) -> JSONValue? {
        guard let found = value[key] ?? memberInAnyCase(key), !found.isNull else { return nil }
        return found
    }

    /// Go's decoder, and so every other runtime, takes `CPU` for `cpu` where there is no exact match.
    private func memberInAnyCase(_ key: String) -> JSONValue? {
        guard let members = value.members else { return nil }
        for member in members.reversed() where member.key.utf8.count == key.utf8.count {
            if member.key.utf8.elementsEqual(key.utf8, by: { $0 | 0x20 == $1 | 0x20 }) { return member.value }
        }
        return nil
    }

    private func place(_ key: String) -> String { path.isEmpty ? key : key.isEmpty ? path : path + "." + key }

    private func mismatch(_ key: String, _ expected: String, _ found: JSONValue) -> RuntimeSpecError {
        let name = place(key)
        return RuntimeSpecError((name.isEmpty ? "" : name + ": ") + "expected " + expected + ", found " + found.kind)
    }

    func string(_ key: String) throws(RuntimeSpecError) -> String? {
        guard let found = member(key) else { return nil }
        guard let text = found.string else { throw mismatch(key, "string", found) }
        if text.utf8.contains(0) { throw RuntimeSpecError(place(key) + ": must not contain NUL") }
        return text
    }

    func bool(_ key: String) throws(RuntimeSpecError) -> Bool {
        guard let found = member(key) else { return false }
        guard let flag = found.bool else { throw mismatch(key, "bool", found) }
        return flag
    }

    func optionalBool(_ key: String) throws(RuntimeSpecError) -> Bool? {
        member(key) == nil ? nil : try bool(key)
    }

    /// An integer that fits `T`.
    func integer<T: FixedWidthInteger>(_ key: String, as type: T.Type = T.self) throws(RuntimeSpecError) -> T? {
        guard let found = member(key) else { return nil }
        if let signed = found.int {
            guard let exact = T(exactly: signed) else { throw outOfRange(key) }
            return exact
        }
        guard case .number = found else { throw mismatch(key, "integer", found) }
        guard let unsigned = found.uint, let exact = T(exactly: unsigned) else { throw outOfRange(key) }
        return exact
    }

    private func outOfRange(_ key: String) -> RuntimeSpecError { RuntimeSpecError(place(key) + ": out of range") }

    func strings(_ key: String) throws(RuntimeSpecError) -> [String] {
        var texts: [String] = []
        for (index, item) in try array(key).enumerated() {
            guard let text = item.string else { throw mismatch(key + "[\(index)]", "string", item) }
            if text.utf8.contains(0) { throw RuntimeSpecError(place(key) + ": must not contain NUL") }
            texts.append(text)
        }
        return texts
    }

    func integers<T: FixedWidthInteger>(_ key: String, as type: T.Type) throws(RuntimeSpecError) -> [T] {
        var numbers: [T] = []
        for item in try array(key) {
            guard let value = item.int else { throw mismatch(key, "array of integers", .array([item])) }
            guard let exact = T(exactly: value) else { throw outOfRange(key) }
            numbers.append(exact)
        }
        return numbers
    }

    /// The pairs of an object of strings.
    func pairs(_ key: String) throws(RuntimeSpecError) -> [RuntimePair] {
        guard let found = member(key) else { return [] }
        guard let members = found.members else { throw mismatch(key, "object", found) }
        var pairs: [RuntimePair] = []
        for member in members {
            guard let text = member.value.string else { throw mismatch(key + "." + member.key, "string", member.value) }
            pairs.append(RuntimePair(key: member.key, value: text))
        }
        return pairs
    }

    func object(_ key: String) throws(RuntimeSpecError) -> RuntimeFields? {
        guard let found = member(key) else { return nil }
        return try RuntimeFields(found, path: place(key))
    }

    func objects(_ key: String) throws(RuntimeSpecError) -> [RuntimeFields] {
        var objects: [RuntimeFields] = []
        for (index, item) in try array(key).enumerated() {
            objects.append(try RuntimeFields(item, path: place(key) + "[\(index)]"))
        }
        return objects
    }

    func has(_ key: String) -> Bool { member(key) != nil }

    /// The names of all members.
    var keys: [String] { (value.members ?? []).map { $0.key } }

    var whole: JSONValue { value }

    func raw(_ key: String) -> JSONValue? { member(key) }

    /// The member, which must be there.
    func required(_ key: String) throws(RuntimeSpecError) -> String {
        guard let text = try string(key) else { throw RuntimeSpecError(place(key) + ": is required") }
        return text
    }

    private func array(_ key: String) throws(RuntimeSpecError) -> [JSONValue] {
        guard let found = member(key) else { return [] }
        guard let items = found.array else { throw mismatch(key, "array", found) }
        return items
    }
}

/// A member of an object of strings (annotations, sysctl).
package struct RuntimePair: Sendable, Equatable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

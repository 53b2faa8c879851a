// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Why a request's body does not have the shape docker's API asks for. The text is the one of Go's decoder.
package struct FieldError: Error, Sendable, Equatable {
    package var message: String

    package init(_ message: String) { self.message = message }

    /// A whole body of the wrong kind; `type` is what the Go type is called.
    package init(_ value: JSONValue, isNo type: String) {
        self.init("json: cannot unmarshal \(value.kind) into Go value of type \(type)")
    }
}

/// The members of one of docker's objects, in the order in which docker writes them.
///
/// A request goes through `normalize` once: members get docker's order, types are checked, what is absent gets Go's
/// zero value. What comes out is stored and echoed by inspect; typed accessors of `ContainerConfig` and `HostConfig`
/// read it.
package struct FieldTable: Sendable {
    package enum Kind: Sendable {
        case string
        case int
        case bool
        case strings
        /// A list of strings, or one string that stands for a list of itself: Go's StrSlice.
        case stringOrStrings
        case stringMap
        case array
        case object
    }

    package struct Field: Sendable {
        var name: String
        var kind: Kind
        var empty: JSONValue
        var omitsEmpty: Bool

        /// - Parameters:
        ///   - empty: what is written if the request has no such member.
        ///   - omitsEmpty: the member is left out while it is empty (Go's `omitempty`).
        package init(_ name: String, _ kind: Kind, empty: JSONValue? = nil, omitsEmpty: Bool = false) {
            self.name = name
            self.kind = kind
            self.empty = empty ?? kind.zero
            self.omitsEmpty = omitsEmpty
        }
    }

    var owner: String
    var fields: [Field]

    /// - Parameter owner: the Go struct's name, for error texts.
    package init(_ owner: String, _ fields: [Field]) {
        self.owner = owner
        self.fields = fields
    }

    /// The object with docker's members only, in docker's order; unknown members are dropped, as Go does.
    package func normalize(_ value: JSONValue) throws(FieldError) -> JSONValue {
        if !value.isNull, value.members == nil {
            throw FieldError(value, isNo: owner)
        }
        var members: [JSONValue.Member] = []
        var given: [String: JSONValue] = [:]
        // As Go does: letters match whatever their case, and the last of several members counts.
        for member in value.members ?? [] { given[member.key.lowercased()] = member.value }
        for field in fields {
            let given = try check(field, given[field.name.lowercased()] ?? .null)
            if field.omitsEmpty, given.isEmptyForGo { continue }
            members.append(.init(field.name, given))
        }
        return .object(members)
    }

    private func check(_ field: Field, _ value: JSONValue) throws(FieldError) -> JSONValue {
        if value.isNull { return field.empty }
        guard field.kind.accepts(value) else {
            let (found, type) = field.kind.mismatch(value)
            throw FieldError(
                "json: cannot unmarshal \(found) into Go struct field \(owner).\(field.name) of type \(type)")
        }
        return field.kind == .stringOrStrings && value.string != nil ? .strings([value.string ?? ""]) : value
    }
}

extension FieldTable.Kind {
    var zero: JSONValue {
        switch self {
        case .string: .string("")
        case .int: .int(0)
        case .bool: .bool(false)
        case .strings, .stringOrStrings, .stringMap, .array, .object: .null
        }
    }

    var goName: String {
        switch self {
        case .string: "string"
        case .int: "int64"
        case .bool: "bool"
        case .strings, .stringOrStrings: "[]string"
        case .stringMap: "map[string]string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }

    /// What Go's decoder complains about: the value, or that of its elements which is at fault; and the type it wants.
    func mismatch(_ value: JSONValue) -> (found: String, type: String) {
        let elements: [JSONValue]? =
            switch self {
            case .strings, .stringOrStrings: value.array
            case .stringMap: value.members?.map(\.value)
            default: nil
            }
        if let wrong = elements?.first(where: { $0.string == nil && !$0.isNull }) { return (wrong.kind, "string") }
        return (value.kind, goName)
    }

    func accepts(_ value: JSONValue) -> Bool {
        switch self {
        case .string: value.string != nil
        case .int: value.int != nil
        case .bool: value.bool != nil
        case .strings: value.strings != nil
        case .stringOrStrings: value.strings != nil || value.string != nil
        case .stringMap: value.stringPairs != nil
        case .array: value.array != nil
        case .object: value.members != nil
        }
    }
}

extension JSONValue {
    /// What Go's `omitempty` leaves out.
    var isEmptyForGo: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .int(let value): value == 0
        case .number: false
        case .string(let value): value.isEmpty
        case .array(let values): values.isEmpty
        case .object(let members): members.isEmpty
        }
    }

    /// A member of a request, whatever the case of its name's letters, as Go reads it; the last one counts.
    package func field(_ name: String) -> JSONValue? {
        let wanted = name.lowercased()
        return members?.last { $0.key.lowercased() == wanted }?.value
    }

    /// The members of an object as pairs of key and value; empty for anything else.
    package var pairs: [(key: String, value: JSONValue)] { (members ?? []).map { ($0.key, $0.value) } }
}

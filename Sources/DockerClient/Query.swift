// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The query string of a request; parameters are sorted by name, as Go's client sends them.
package struct Query: Sendable {
    private var items: [(name: String, value: String)] = []

    package init() {}

    package init(_ items: [(String, String)]) {
        self.items = items.map { (name: $0.0, value: $0.1) }
    }

    package mutating func add(_ name: String, _ value: String) {
        items.append((name, value))
    }

    /// Adds `name=1` if `condition` holds.
    package mutating func add(_ name: String, if condition: Bool) {
        if condition { items.append((name, "1")) }
    }

    /// Adds `filters={"key":{"value":true}}`, unless there are none.
    package mutating func add(filters: [(key: String, value: String)]) {
        if filters.isEmpty { return }
        items.append(("filters", Query.encode(filters).serialized()))
    }

    /// The wire form of filters: a map of sets, keys sorted.
    package static func encode(_ filters: [(key: String, value: String)]) -> JSONValue {
        var keys: [String] = []
        for filter in filters where !keys.contains(filter.key) { keys.append(filter.key) }
        return .sorted(
            keys.map { key in
                var values: [String] = []
                for filter in filters where filter.key == key && !values.contains(filter.value) {
                    values.append(filter.value)
                }
                return (key, .sorted(values.map { ($0, .bool(true)) }))
            })
    }

    /// `?a=1&b=2`, or nothing.
    var encoded: String {
        if items.isEmpty { return "" }
        let order = items.indices.sorted { (items[$0].name, $0) < (items[$1].name, $1) }
        return "?"
            + order.map { percentEncoded(items[$0].name) + "=" + percentEncoded(items[$0].value) }.joined(
                separator: "&")
    }
}

/// `text` for a query (`spaceAsPlus`) or as one path segment: everything but RFC 3986's unreserved characters becomes `%XX`.
package func percentEncoded(_ text: String, spaceAsPlus: Bool = true) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
            out.append(byte)
        case UInt8(ascii: " ") where spaceAsPlus: out.append(UInt8(ascii: "+"))
        default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}

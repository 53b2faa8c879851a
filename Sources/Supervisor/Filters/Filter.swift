// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// containerd's filter expressions: `id==x`, `name~=^docker`, `labels."a.b"!=c`, `labels.foo`; commas join with and.
package struct Filter: Sendable, Equatable {
    package enum Operator: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case matches = "~="
        /// The field is there and not empty.
        case present = ""
    }

    package struct Selector: Sendable, Equatable {
        package var path: [String]
        package var comparison: Operator
        package var value: String
    }

    package var selectors: [Selector]

    package init(_ expression: String) throws(ServiceError) {
        var parser = FilterParser(expression)
        selectors = try parser.parse()
    }

    /// Whether an object matches; `field` gives the object's value at a path, or nil if it has none.
    package func matches(_ field: ([String]) -> String?) -> Bool {
        selectors.allSatisfy { $0.matches(field($0.path)) }
    }
}

extension Filter.Selector {
    func matches(_ found: String?) -> Bool {
        switch comparison {
        case .present: return found?.isEmpty == false
        case .equal: return found == value
        case .notEqual: return found != value
        case .matches:
            guard let found, let pattern = try? Regex(value) else { return false }
            return found.contains(pattern)
        }
    }
}

/// The filters of one request: an object passes if any of them matches, or if there are none.
package struct FilterSet: Sendable, Equatable {
    package var filters: [Filter]

    package init(_ expressions: [String]) throws(ServiceError) {
        var parsed: [Filter] = []
        for expression in expressions where !expression.isEmpty { parsed.append(try Filter(expression)) }
        filters = parsed
    }

    package func matches(_ field: ([String]) -> String?) -> Bool {
        filters.isEmpty || filters.contains { $0.matches(field) }
    }
}

/// Reads the grammar `selector ("," selector)*`, `selector = path (operator value)?`,
/// `path = name ("." (name | quoted))*`. White space may stand around selectors and operators.
private struct FilterParser {
    private var rest: Substring
    private let text: String

    init(_ text: String) {
        self.text = text
        rest = text[...]
    }

    mutating func parse() throws(ServiceError) -> [Filter.Selector] {
        var selectors = [try selector()]
        while rest.first == "," {
            rest.removeFirst()
            selectors.append(try selector())
        }
        guard rest.isEmpty else { throw failure() }
        return selectors
    }

    private mutating func selector() throws(ServiceError) -> Filter.Selector {
        skipSpace()
        let path = try self.path()
        skipSpace()
        for comparison in [Filter.Operator.equal, .notEqual, .matches] where rest.hasPrefix(comparison.rawValue) {
            rest.removeFirst(2)
            skipSpace()
            let value = try value()
            skipSpace()
            return Filter.Selector(path: path, comparison: comparison, value: value)
        }
        return Filter.Selector(path: path, comparison: .present, value: "")
    }

    private mutating func path() throws(ServiceError) -> [String] {
        var path = [try name()]
        while rest.first == "." {
            rest.removeFirst()
            path.append(try rest.first == "\"" ? quoted() : name())
        }
        return path
    }

    private mutating func name() throws(ServiceError) -> String {
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "_-/".contains($0)) }
        guard !name.isEmpty else { throw failure() }
        rest = rest.dropFirst(name.count)
        return String(name)
    }

    private mutating func value() throws(ServiceError) -> String {
        if rest.first == "\"" || rest.first == "|" || rest.first == "/" { return try quoted() }
        let value = rest.prefix { $0 != "," && !$0.isWhitespace }
        rest = rest.dropFirst(value.count)
        return String(value)
    }

    private mutating func skipSpace() { rest = rest.drop { $0.isWhitespace } }

    /// A string between two equal quote characters; `\` keeps the next character as it is.
    private mutating func quoted() throws(ServiceError) -> String {
        guard let quote = rest.popFirst() else { throw failure() }
        var value = ""
        while let character = rest.popFirst() {
            if character == quote { return value }
            if character == "\\", let next = rest.popFirst() {
                if next != quote, next != "\\" { value.append(character) }
                value.append(next)
            } else {
                value.append(character)
            }
        }
        throw failure()
    }

    private func failure() -> ServiceError {
        let position = text.count - rest.count
        return ServiceError(.invalidArgument, "filter \"\(text)\": syntax error at character \(position + 1)")
    }
}

// SPDX-License-Identifier: Apache-2.0

/// One SQLite value: what is bound to a parameter, and what a column holds.
package enum Value: Sendable, Equatable {
    case null
    case int64(Int64)
    case double(Double)
    case text(String)
    case blob([UInt8])

    /// `text`, or null when there is none.
    package static func text(_ text: String?) -> Value {
        guard let text else { return .null }
        return Value.text(text)
    }

    /// `number`, or null when there is none.
    package static func int64(_ number: Int64?) -> Value {
        guard let number else { return .null }
        return Value.int64(number)
    }
}

extension Value: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByBooleanLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(integerLiteral value: Int64) { self = .int64(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(booleanLiteral value: Bool) { self = .int64(value ? 1 : 0) }
}

extension Value {
    /// The integer, if this is one.
    package var int64Value: Int64? {
        guard case .int64(let value) = self else { return nil }
        return value
    }

    /// The number, if this is one; integers are converted.
    package var doubleValue: Double? {
        switch self {
        case .double(let value): value
        case .int64(let value): Double(value)
        default: nil
        }
    }

    /// The text, if this is text.
    package var textValue: String? {
        guard case .text(let value) = self else { return nil }
        return value
    }

    /// The bytes of a blob or of a text.
    package var blobValue: [UInt8]? {
        switch self {
        case .blob(let value): value
        case .text(let value): Array(value.utf8)
        default: nil
        }
    }
}

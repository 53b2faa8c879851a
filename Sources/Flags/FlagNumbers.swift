// SPDX-License-Identifier: Apache-2.0

/// Numbers and booleans as Go's strconv reads them, since scripts rely on `0x10`, `t` and `TRUE`.
package enum FlagNumbers {
    package enum Failure: Error, Equatable {
        case syntax
        case range
    }

    package static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// A signed integer; the prefixes `0x`, `0o`, `0b` and a leading `0` choose the base.
    package static func int(_ text: String) throws(Failure) -> Int {
        var digits = Array(text.utf8)
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
        let magnitude = try magnitude(digits)
        if isNegative {
            guard magnitude <= UInt64(Int64.max) + 1 else { throw .range }
            return magnitude == UInt64(Int64.max) + 1 ? Int.min : -Int(magnitude)
        }
        guard magnitude <= UInt64(Int64.max) else { throw .range }
        return Int(magnitude)
    }

    package static func uint(_ text: String, max: UInt64 = .max) throws(Failure) -> UInt64 {
        let value = try magnitude(Array(text.utf8))
        guard value <= max else { throw .range }
        return value
    }

    private static func magnitude(_ text: [UInt8]) throws(Failure) -> UInt64 {
        let (base, digits) = split(text)
        guard !digits.isEmpty else { throw .syntax }
        var value: UInt64 = 0
        var overflowed = false
        for byte in digits {
            guard let digit = digit(byte), digit < base else { throw .syntax }
            let (product, o1) = value.multipliedReportingOverflow(by: base)
            let (sum, o2) = product.addingReportingOverflow(digit)
            overflowed = overflowed || o1 || o2
            value = sum
        }
        if overflowed { throw .range }
        return value
    }

    private static func split(_ text: [UInt8]) -> (base: UInt64, digits: ArraySlice<UInt8>) {
        guard text.count > 1, text[0] == UInt8(ascii: "0") else { return (10, text[...]) }
        switch text[1] | 0x20 {
        case UInt8(ascii: "x"): return (16, text[2...])
        case UInt8(ascii: "o"): return (8, text[2...])
        case UInt8(ascii: "b"): return (2, text[2...])
        default: return (8, text[1...])
        }
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

extension Flag {
    /// Why this flag does not take `value`, in the words of Go's strconv; nil when it does.
    func refusal(of value: String) -> String? {
        switch kind {
        case .bool:
            if FlagNumbers.bool(value) == nil { return Self.parseFailure("ParseBool", value, .syntax) }
        case .int:
            do throws(FlagNumbers.Failure) { _ = try FlagNumbers.int(value) } catch {
                return Self.parseFailure("ParseInt", value, error)
            }
        case .uint, .uint16:
            let max: UInt64 = kind == .uint16 ? 65535 : .max
            do throws(FlagNumbers.Failure) { _ = try FlagNumbers.uint(value, max: max) } catch {
                return Self.parseFailure("ParseUint", value, error)
            }
        case .string, .list: break
        }
        return check?(value)
    }

    private static func parseFailure(_ function: String, _ value: String, _ failure: FlagNumbers.Failure) -> String {
        let reason = failure == .syntax ? "invalid syntax" : "value out of range"
        return "strconv." + function + ": parsing " + quoted(value) + ": " + reason
    }
}

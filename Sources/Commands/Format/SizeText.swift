// SPDX-License-Identifier: Apache-2.0
import GoTemplate

/// Sizes as docker prints and reads them.
package enum SizeText {
    private static let decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    private static let binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]

    /// `1.98MB`: powers of 1000, three significant digits; for lists.
    package static func short(_ bytes: Double) -> String { scaled(bytes, 1000, decimalUnits, digits: 3) }

    /// `320.5MB`: powers of 1000, four significant digits; for progress and what was reclaimed.
    package static func long(_ bytes: Double) -> String { scaled(bytes, 1000, decimalUnits, digits: 4) }

    /// `23.54GiB`: powers of 1024; for memory.
    package static func binary(_ bytes: Double) -> String { scaled(bytes, 1024, binaryUnits, digits: 4) }

    private static func scaled(_ bytes: Double, _ base: Double, _ units: [String], digits: Int) -> String {
        var value = bytes
        var unit = 0
        while value >= base, unit < units.count - 1 {
            value /= base
            unit += 1
        }
        return significant(value, digits: digits) + units[unit]
    }

    /// As C's `%.<digits>g` for numbers that are not tiny.
    package static func significant(_ value: Double, digits: Int) -> String {
        if value == 0 { return "0" }
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
        if value < 0 { return "-" + significant(-value, digits: digits) }
        var whole = 1
        var limit = 10.0
        while value >= limit {
            whole += 1
            limit *= 10
        }
        if whole > digits { return scientific(value, digits: digits) }
        var text = fixedPoint(value, digits: digits - whole)
        // Rounding may have added a digit: 999.9 with three digits is 1e+03.
        if text.prefix(while: { $0 != "." }).utf8.count > digits { return scientific(value, digits: digits) }
        if text.contains(".") {
            while text.utf8.last == UInt8(ascii: "0") { text.removeLast() }
            if text.utf8.last == UInt8(ascii: ".") { text.removeLast() }
        }
        return text
    }

    private static func scientific(_ value: Double, digits: Int) -> String {
        var mantissa = value
        var exponent = 0
        while mantissa >= 10 {
            mantissa /= 10
            exponent += 1
        }
        let text = significant(mantissa, digits: digits)
        if text == "10" { return "1e+" + twoDigits(exponent + 1) }
        return text + "e+" + twoDigits(exponent)
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Why a text is no size.
    package struct Malformed: Error, Equatable {
        package var reason: String
    }

    /// Reads `512m`, `1.5g`, `64MiB`, `1024`: units are powers of 1024, whatever their case.
    package static func parse(_ text: String) throws(Malformed) -> Int64 {
        let bytes = Array(text.utf8)
        guard let last = bytes.lastIndex(where: { ($0 >= 48 && $0 <= 57) || $0 == 46 || $0 == 32 }) else {
            throw Malformed(reason: "invalid size: '" + text + "'")
        }
        let number = String(decoding: bytes[..<(bytes[last] == 32 ? last : last + 1)], as: UTF8.self)
        let suffix = String(decoding: bytes[(last + 1)...], as: UTF8.self).lowercased()
        guard let value = Double(number) else {
            throw Malformed(reason: "strconv.ParseFloat: parsing " + number.quoted + ": invalid syntax")
        }
        guard value >= 0 else { throw Malformed(reason: "invalid size: '" + text + "'") }
        guard let factor = factor(Array(suffix.utf8)) else {
            throw Malformed(reason: "invalid suffix: '" + suffix + "'")
        }
        guard value * factor < 9.2e18 else { throw Malformed(reason: "invalid size: '" + text + "'") }
        return Int64(value * factor)
    }

    private static func factor(_ suffix: [UInt8]) -> Double? {
        if suffix.isEmpty || suffix == [98] { return 1 }
        guard suffix.count <= 3, let power = Array("kmgtp".utf8).firstIndex(of: suffix[0]) else { return nil }
        if suffix.count == 2, suffix[1] != 98 { return nil }
        if suffix.count == 3, suffix[1] != 105 || suffix[2] != 98 { return nil }
        var factor = 1024.0
        for _ in 0..<power { factor *= 1024 }
        return factor
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Durations as Go writes them, which is how docker's messages have them: `50ms`, `1.5s`, `1m0s`, `1h0m0s`.
package enum GoDuration {
    package static func text(_ nanoseconds: Int64) -> String {
        let sign = nanoseconds < 0 ? "-" : ""
        let value = nanoseconds.magnitude
        switch value {
        case 0: return "0s"
        case ..<1000: return "\(sign)\(value)ns"
        case ..<1_000_000: return sign + fraction(value, 1000) + "µs"
        case ..<1_000_000_000: return sign + fraction(value, 1_000_000) + "ms"
        default: break
        }
        let seconds = value / 1_000_000_000
        let rest = fraction(value % 60_000_000_000, 1_000_000_000) + "s"
        if seconds < 60 { return sign + rest }
        if seconds < 3600 { return "\(sign)\(seconds / 60)m" + rest }
        return "\(sign)\(seconds / 3600)h\(seconds % 3600 / 60)m" + rest
    }

    /// `value / unit` with as many decimals as there are, but no zeros at the end.
    private static func fraction(_ value: UInt64, _ unit: UInt64) -> String {
        let whole = String(value / unit)
        if value % unit == 0 { return whole }
        let digits = String(unit + value % unit).dropFirst()
        return whole + "." + String(digits.reversed().drop { $0 == "0" }.reversed())
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Durations as people read them (`About an hour`) and as Go writes them (`1h30m`).
package enum DurationText {
    /// How long something took or is ago, in one rough unit.
    package static func human(seconds: Int64) -> String {
        let minutes = seconds / 60
        let hours = (seconds + 1800) / 3600
        switch true {
        case seconds < 1: return "Less than a second"
        case seconds == 1: return "1 second"
        case seconds < 60: return "\(seconds) seconds"
        case minutes == 1: return "About a minute"
        case minutes < 60: return "\(minutes) minutes"
        case hours == 1: return "About an hour"
        case hours < 48: return "\(hours) hours"
        case hours < 24 * 14: return "\(hours / 24) days"
        case hours < 24 * 60: return "\(hours / 24 / 7) weeks"
        case hours < 24 * 365 * 2: return "\(hours / 24 / 30) months"
        default: return "\(Int64(Double(seconds) / 3600) / 24 / 365) years"
        }
    }

    /// Nanoseconds of a Go duration (`300ms`, `-1.5h`, `2h45m`); nil if it is none.
    package static func parse(_ text: String) -> Int64? {
        var bytes = Array(text.utf8)[...]
        var isNegative = false
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        if bytes.elementsEqual([48]) { return 0 }
        if bytes.isEmpty { return nil }
        var total = 0.0
        while !bytes.isEmpty {
            let number = bytes.prefix { ($0 >= 48 && $0 <= 57) || $0 == 46 }
            bytes = bytes.dropFirst(number.count)
            let unit = bytes.prefix { !(($0 >= 48 && $0 <= 57) || $0 == 46) }
            bytes = bytes.dropFirst(unit.count)
            guard let value = Double("0" + String(decoding: number, as: UTF8.self)), !number.isEmpty,
                !number.elementsEqual([46]), let factor = nanoseconds(String(decoding: unit, as: UTF8.self))
            else { return nil }
            total += value * factor
        }
        guard total < 9.2e18 else { return nil }
        return Int64(isNegative ? -total : total)
    }

    private static func nanoseconds(_ unit: String) -> Double? {
        switch unit {
        case "ns": 1
        case "us", "µs", "μs": 1e3
        case "ms": 1e6
        case "s": 1e9
        case "m": 60e9
        case "h": 3600e9
        default: nil
        }
    }
}

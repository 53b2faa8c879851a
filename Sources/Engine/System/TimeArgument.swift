// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// Times as docker's clients send them: `since`, `until`.
package enum TimeArgument {
    /// Unix seconds with an optional fraction (`1795227152.5`), RFC 3339, or a Go duration, which means that long ago.
    package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if let time = unix(text) { return time }
        if let time = Timestamp(rfc3339: text) { return time }
        guard let ago = duration(text) else { return nil }
        return Timestamp(nanoseconds: now.nanoseconds - ago)
    }

    /// How long it is from one moment to a later one; 0 if that is over. Every moment that a client can name is fine.
    package static func nanoseconds(from start: Timestamp, to end: Timestamp) -> UInt64 {
        end > start ? UInt64(bitPattern: end.nanoseconds &- start.nanoseconds) : 0
    }

    private static func unix(_ text: String) -> Timestamp? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let given = Int64(parts[0]) else { return nil }
        let seconds = min(max(given, -9_000_000_000), 9_000_000_000)  // as far as nanoseconds go
        var fraction: Int64 = 0
        if parts.count == 2 {
            let digits = parts[1].prefix(9)
            guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
            fraction = Int64(digits + String(repeating: "0", count: 9 - digits.count)) ?? 0
        }
        return Timestamp(nanoseconds: seconds * 1_000_000_000 + (seconds < 0 ? -fraction : fraction))
    }

    /// `1h30m`, `10s`, `1.5h` in nanoseconds.
    package static func duration(_ text: String) -> Int64? {
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !$0.isNumber && $0 != "." }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let scale = units[String(unit)] else { return nil }
            total += value * scale
        }
        return total < 9e18 ? Int64(total) : nil
    }

    private static let units: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
    ]
}

// SPDX-License-Identifier: Apache-2.0

/// Sizes as docker's options have them: `10m`, `1.5GB`, `64kib`, `100`.
enum ByteSize {
    /// With units of 1024 (`RAMInBytes` of docker's units); nil for what is no size, or less than nothing.
    static func binary(_ text: String) -> Int64? { parse(text, 1024) }

    /// With units of 1000 (`FromHumanSize`).
    static func decimal(_ text: String) -> Int64? { parse(text, 1000) }

    private static func parse(_ text: String, _ base: Double) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        var unit = text.dropFirst(digits.count).lowercased()
        if unit.hasPrefix(" ") { unit.removeFirst() }
        guard let number = Double(digits), digits.first != ".", digits.last != "." else { return nil }
        if unit.hasSuffix("b") { unit.removeLast() }
        if unit.hasSuffix("i"), unit.count == 2 { unit.removeLast() }
        guard let power = ["", "k", "m", "g", "t", "p"].firstIndex(of: unit) else { return nil }
        var scaled = number
        for _ in 0..<power { scaled *= base }
        return scaled < 9e18 ? Int64(scaled) : nil
    }
}

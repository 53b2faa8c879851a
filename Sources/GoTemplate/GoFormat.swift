// SPDX-License-Identifier: Apache-2.0
import JSON

/// Go's fmt.Print, Println and Printf over template values.
enum GoFormat {
    /// Spaces go between operands when neither is a string.
    static func print(_ values: [TemplateValue]) -> String {
        var out = ""
        var previousIsText = true
        for (index, value) in values.enumerated() {
            var isText = false
            if case .json(.string) = value { isText = true }
            if index > 0, !isText, !previousIsText { out += " " }
            out += value.text
            previousIsText = isText
        }
        return out
    }

    static func println(_ values: [TemplateValue]) -> String {
        values.map(\.text).joined(separator: " ") + "\n"
    }

    static func printf(_ format: String, _ values: [TemplateValue]) -> String {
        var formatter = Formatter(format: Array(format.utf8), values: values)
        return formatter.run()
    }
}

/// One run through a format string.
private struct Formatter {
    let format: [UInt8]
    let values: [TemplateValue]
    var position = 0
    var used = 0
    var out = ""

    /// Flags, width and precision of one verb.
    struct Spec {
        var leftAligned = false
        var zeroPadded = false
        var plus = false
        var sharp = false
        var space = false
        var width = 0
        var precision: Int?
    }

    init(format: [UInt8], values: [TemplateValue]) {
        self.format = format
        self.values = values
    }

    mutating func run() -> String {
        while position < format.count {
            guard let percent = format[position...].firstIndex(of: UInt8(ascii: "%")) else {
                out += String(decoding: format[position...], as: UTF8.self)
                break
            }
            out += String(decoding: format[position..<percent], as: UTF8.self)
            position = percent + 1
            verb()
        }
        if used < values.count {
            let extra = values[used...].map { name($0) + "=" + $0.text }
            out += "%!(EXTRA " + extra.joined(separator: ", ") + ")"
        }
        return out
    }

    private mutating func verb() {
        var spec = Spec()
        flags(&spec)
        spec.width = digits() ?? starValue() ?? 0
        if position < format.count, format[position] == UInt8(ascii: ".") {
            position += 1
            spec.precision = digits() ?? starValue() ?? 0
        }
        guard position < format.count else {
            out += "%!(NOVERB)"
            return
        }
        let verb = format[position]
        position += 1
        if verb == UInt8(ascii: "%") {
            out += "%"
            return
        }
        guard used < values.count else {
            out += "%!" + String(decoding: [verb], as: UTF8.self) + "(MISSING)"
            return
        }
        used += 1
        out += padded(rendered(verb, values[used - 1], spec), spec)
    }

    private mutating func flags(_ spec: inout Spec) {
        while position < format.count {
            switch format[position] {
            case UInt8(ascii: "-"): spec.leftAligned = true
            case UInt8(ascii: "0"): spec.zeroPadded = true
            case UInt8(ascii: "+"): spec.plus = true
            case UInt8(ascii: "#"): spec.sharp = true
            case UInt8(ascii: " "): spec.space = true
            default: return
            }
            position += 1
        }
    }

    private mutating func digits() -> Int? {
        var value: Int?
        while position < format.count, format[position] >= 48, format[position] <= 57, (value ?? 0) < 100_000 {
            value = (value ?? 0) * 10 + Int(format[position] - 48)
            position += 1
        }
        return value
    }

    private mutating func starValue() -> Int? {
        guard position < format.count, format[position] == UInt8(ascii: "*"), used < values.count else { return nil }
        position += 1
        used += 1
        guard case .json(.int(let number)) = values[used - 1] else { return nil }
        return Int(min(max(number, 0), 100_000))
    }

    private func rendered(_ verb: UInt8, _ value: TemplateValue, _ spec: Spec) -> String {
        switch (verb, value) {
        case (UInt8(ascii: "v"), .json(.string(let text))) where spec.sharp: return quote(text)
        case (UInt8(ascii: "v"), _): return value.text
        case (UInt8(ascii: "T"), _): return value.typeName
        case (UInt8(ascii: "t"), .json(.bool)): return value.text
        case (UInt8(ascii: "s"), .json(.string(let text))): return cut(text, spec)
        case (UInt8(ascii: "s"), .list), (UInt8(ascii: "s"), .json(.array)): return value.text
        case (UInt8(ascii: "q"), .json(.string(let text))): return quote(cut(text, spec))
        case (UInt8(ascii: "x"), .json(.string(let text))): return text.utf8.map { hex($0) }.joined()
        case (UInt8(ascii: "d"), .json(.int(let number))): return signed(String(number), spec)
        case (UInt8(ascii: "x"), .json(.int(let number))): return (spec.sharp ? "0x" : "") + String(number, radix: 16)
        case (UInt8(ascii: "X"), .json(.int(let number))):
            return (spec.sharp ? "0X" : "") + String(number, radix: 16, uppercase: true)
        case (UInt8(ascii: "o"), .json(.int(let number))): return (spec.sharp ? "0" : "") + String(number, radix: 8)
        case (UInt8(ascii: "b"), .json(.int(let number))): return String(number, radix: 2)
        case (UInt8(ascii: "c"), .json(.int(let number))):
            return UInt32(exactly: number).flatMap { Unicode.Scalar($0) }.map { String(Character($0)) } ?? "\u{FFFD}"
        case (UInt8(ascii: "f"), .json(.number(let text))), (UInt8(ascii: "g"), .json(.number(let text))):
            guard let number = Double(text) else { return text }
            if verb == UInt8(ascii: "g"), spec.precision == nil { return signed("\(number)", spec) }
            return signed(fixedPoint(number, digits: spec.precision ?? 6), spec)
        default: return "%!" + String(decoding: [verb], as: UTF8.self) + "(" + name(value) + "=" + value.text + ")"
        }
    }

    private func name(_ value: TemplateValue) -> String {
        if case .json(.null) = value { return "<nil>" }
        return value.typeName
    }

    private func cut(_ text: String, _ spec: Spec) -> String {
        guard let limit = spec.precision else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
    }

    private func signed(_ text: String, _ spec: Spec) -> String {
        if text.utf8.first == UInt8(ascii: "-") { return text }
        return (spec.plus ? "+" : (spec.space ? " " : "")) + text
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    private func padded(_ text: String, _ spec: Spec) -> String {
        let missing = spec.width - text.unicodeScalars.count
        guard missing > 0 else { return text }
        if spec.leftAligned { return text + String(repeating: " ", count: missing) }
        guard spec.zeroPadded else { return String(repeating: " ", count: missing) + text }
        let zeros = String(repeating: "0", count: missing)
        if let sign = text.utf8.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            return String(decoding: [sign], as: UTF8.self) + zeros
                + String(decoding: text.utf8.dropFirst(), as: UTF8.self)
        }
        return zeros + text
    }
}

/// `number` with exactly `digits` decimals, rounded; exact enough for sizes and percentages.
package func fixedPoint(_ number: Double, digits: Int) -> String {
    guard number.isFinite, number.magnitude < 1e15, digits <= 12 else { return "\(number)" }
    var scale: Int64 = 1
    for _ in 0..<digits { scale *= 10 }
    let (whole, fraction) = splitRounded(number.magnitude, scale: scale)
    var text = String(whole)
    if digits > 0 {
        let decimals = String(fraction)
        text += "." + String(repeating: "0", count: digits - decimals.utf8.count) + decimals
    }
    return number < 0 && (whole > 0 || fraction > 0) ? "-" + text : text
}

private func splitRounded(_ number: Double, scale: Int64) -> (whole: Int64, fraction: Int64) {
    let whole = Int64(number)
    let fraction = Int64(((number - Double(whole)) * Double(scale)).rounded(.toNearestOrEven))
    return fraction >= scale ? (whole + 1, fraction - scale) : (whole, fraction)
}

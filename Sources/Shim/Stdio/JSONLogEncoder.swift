// SPDX-License-Identifier: Apache-2.0

/// Turns one output stream into lines of docker's json-file log:
///
///     {"log":"hello\n","stream":"stdout","time":"2026-08-01T10:00:00.5Z"}
///     {"log":"hello\n","stream":"stdout","attrs":{"tag":"x"},"time":"2026-08-01T10:00:00.5Z"}
///
/// A line of more than 16 KiB becomes several entries, all but the last without `\n`, as does output that ends without
/// a newline.
struct JSONLogEncoder: Sendable {
    static let maximumEntry = 16384

    private let prefix = Array("{\"log\":\"".utf8)
    private let suffix: [UInt8]
    private let end = Array("\"}\n".utf8)
    private var partial: [UInt8] = []

    /// - Parameter attributes: a JSON object that every entry carries; empty: none.
    init(stream: String, attributes: String = "") {
        let member = attributes.utf8.isEmpty ? "" : "\"attrs\":" + attributes + ","
        suffix = Array("\",\"stream\":\"\(stream)\",\(member)\"time\":\"".utf8)
    }

    /// Appends the entries that `bytes` completes to `output`; what is left waits for its newline.
    mutating func encode(_ bytes: ArraySlice<UInt8>, time: [UInt8], into output: inout [UInt8]) {
        var rest = bytes
        while !rest.isEmpty {
            let room = Self.maximumEntry - partial.count
            let window = rest.prefix(room)
            if let newline = window.firstIndex(of: UInt8(ascii: "\n")) {
                writeEntry(rest[...newline], time, &output)
                rest = rest[(newline + 1)...]
            } else if window.count == room {
                writeEntry(window, time, &output)
                rest = rest.dropFirst(room)
            } else {
                partial.append(contentsOf: window)
                return
            }
        }
    }

    /// Appends an entry for what has no newline yet.
    mutating func finish(time: [UInt8], into output: inout [UInt8]) {
        guard !partial.isEmpty else { return }
        writeEntry([], time, &output)
    }

    private mutating func writeEntry(_ last: ArraySlice<UInt8>, _ time: [UInt8], _ output: inout [UInt8]) {
        output.append(contentsOf: prefix)
        if partial.isEmpty {
            appendEscaped(last, to: &output)
        } else {
            partial.append(contentsOf: last)
            appendEscaped(partial[...], to: &output)
            partial = []
        }
        output.append(contentsOf: suffix)
        output.append(contentsOf: time)
        output.append(contentsOf: end)
    }
}

/// JSON string escapes as docker writes them: `\n`, `\r`, `\"`, `\\`, `\u00XX` for other controls and for `<`, `>` and
/// `&`, `\u2028`, `\u2029`, and `\ufffd` for each byte that is not part of valid UTF-8.
private func appendEscaped(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
    var rest = bytes
    while true {
        let plain = rest.prefix(while: isPlain)
        output.append(contentsOf: plain)
        rest = rest[plain.endIndex...]
        guard let byte = rest.first else { return }
        if byte >= 0x80 {
            rest = rest.dropFirst(appendMultibyte(rest, to: &output))
            continue
        }
        rest = rest.dropFirst()
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            output.append(UInt8(ascii: "\\"))
            output.append(byte)
        case UInt8(ascii: "\n"): output.append(contentsOf: Array("\\n".utf8))
        case UInt8(ascii: "\r"): output.append(contentsOf: Array("\\r".utf8))
        default:
            output.append(contentsOf: Array("\\u00".utf8))
            output.append(hexDigit(byte >> 4))
            output.append(hexDigit(byte & 15))
        }
    }
}

/// Stands for itself in a JSON string of docker's.
private func isPlain(_ byte: UInt8) -> Bool {
    guard byte >= 0x20, byte < 0x80 else { return false }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): return false
    default: return true
    }
}

/// Copies one character of more than one byte, or replaces one bad byte; returns how many bytes it took.
private func appendMultibyte(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) -> Int {
    let length = validSequenceLength(bytes)
    let first = bytes.startIndex
    if length == 0 {
        output.append(contentsOf: Array("\\ufffd".utf8))
        return 1
    }
    if length == 3, bytes[first] == 0xE2, bytes[first + 1] == 0x80, bytes[first + 2] & 0xFE == 0xA8 {
        output.append(contentsOf: Array("\\u202".utf8))
        output.append(hexDigit(bytes[first + 2] & 15))
        return 3
    }
    output.append(contentsOf: bytes.prefix(length))
    return length
}

/// The length of the well-formed UTF-8 sequence at the front (Unicode, table 3-7), or 0.
private func validSequenceLength(_ bytes: ArraySlice<UInt8>) -> Int {
    let first = bytes[bytes.startIndex]
    let (length, second): (Int, ClosedRange<UInt8>) =
        switch first {
        case 0xC2...0xDF: (2, 0x80...0xBF)
        case 0xE0: (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: (3, 0x80...0xBF)
        case 0xED: (3, 0x80...0x9F)
        case 0xF0: (4, 0x90...0xBF)
        case 0xF1...0xF3: (4, 0x80...0xBF)
        case 0xF4: (4, 0x80...0x8F)
        default: (0, 0x80...0xBF)
        }
    guard length > 0, bytes.count >= length, second.contains(bytes[bytes.startIndex + 1]) else { return 0 }
    for byte in bytes.prefix(length).dropFirst(2) where byte & 0xC0 != 0x80 { return 0 }
    return length
}

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

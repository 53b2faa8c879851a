// SPDX-License-Identifier: Apache-2.0

/// Base64 (RFC 4648), the form in which bytes and credentials travel in JSON and in HTTP headers.
package enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let safe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// With padding; `urlSafe` takes the alphabet of §5.
    package static func encode(_ bytes: [UInt8], urlSafe: Bool = false) -> String {
        let alphabet = urlSafe ? safe : standard
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            var value = 0
            for offset in 0..<3 { value = value << 8 | (offset < group.count ? Int(group[index + offset]) : 0) }
            for position in 0..<4 {
                out.append(position <= group.count ? alphabet[value >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Takes both alphabets, with or without padding; nil for anything else.
    package static func decode(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var value = 0
        var bits = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "=") { break }
            guard let digit = standard.firstIndex(of: byte) ?? safe.firstIndex(of: byte) else { return nil }
            value = (value << 6 | digit) & 0xFFFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(value >> bits & 0xFF))
            }
        }
        return out
    }
}

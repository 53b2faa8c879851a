// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The parameters of a URL's query, decoded.
package struct Query: Sendable {
    package private(set) var items: [(name: String, value: String)] = []

    /// Reads `a=1&b=x%20y&c`; what is not valid percent-encoding is kept as it is.
    package init(_ text: String) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? percentDecoded(parts[1], plusIsSpace: true) : ""
            items.append((percentDecoded(parts[0], plusIsSpace: true), value))
        }
    }

    /// The first value, or nil if the parameter is absent.
    package func get(_ name: String) -> String? {
        for item in items where item.name == name { return item.value }
        return nil
    }

    /// Replaces every value of a parameter by one.
    package mutating func set(_ name: String, _ value: String) {
        items.removeAll { $0.name == name }
        items.append((name, value))
    }

    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    package func contains(_ name: String) -> Bool { get(name) != nil }

    /// As docker reads flags: everything but empty, `0`, `no`, `false` and `none` is true.
    package func bool(_ name: String, default fallback: Bool = false) -> Bool {
        guard let text = get(name) else { return fallback }
        return !["", "0", "no", "false", "none"].contains(trimmed(text).lowercased())
    }
}

/// Resolves `%41`; with `plusIsSpace` also `+`, as forms have it.
package func percentDecoded(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
        let byte = bytes[index]
        if byte == UInt8(ascii: "%"), index + 2 < bytes.count, let high = hexDigit(bytes[index + 1]),
            let low = hexDigit(bytes[index + 2])
        {
            result.append(high << 4 | low)
            index += 3
            continue
        }
        result.append(plusIsSpace && byte == UInt8(ascii: "+") ? 32 : byte)
        index += 1
    }
    return String(decoding: result, as: UTF8.self)
}

/// Escapes all but what RFC 3986 §2.3 leaves as it is.
package func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        if isAlphanumeric(byte) || "-._~".utf8.contains(byte) {
            result.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }
    }
    return result
}

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
}

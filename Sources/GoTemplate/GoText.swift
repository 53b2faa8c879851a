// SPDX-License-Identifier: Apache-2.0

/// `text` in double quotes, with the escapes of Go's `%q`.
func quote(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\t": out += "\\t"
        case "\r": out += "\\r"
        default:
            if scalar.value < 0x20 || scalar.value == 0x7F {
                out += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
    }
    return out + "\""
}

/// The value of a Go string or character literal with its quotes; nil if it is malformed.
func goUnquoted(_ literal: String) -> String? {
    let bytes = Array(literal.utf8)
    guard let quote = bytes.first, bytes.count >= 2, bytes.last == quote else { return nil }
    let body = bytes[1..<(bytes.count - 1)]
    if quote == UInt8(ascii: "`") { return String(decoding: body, as: UTF8.self) }
    var out: [UInt8] = []
    var index = body.startIndex
    while index < body.endIndex {
        let byte = body[index]
        index += 1
        guard byte == UInt8(ascii: "\\") else {
            out.append(byte)
            continue
        }
        guard index < body.endIndex, unescape(body, &index, into: &out) else { return nil }
    }
    return String(decoding: out, as: UTF8.self)
}

/// Appends what the escape at `index` (behind its backslash) stands for.
private func unescape(_ body: ArraySlice<UInt8>, _ index: inout Int, into out: inout [UInt8]) -> Bool {
    let byte = body[index]
    index += 1
    switch byte {
    case UInt8(ascii: "n"): out.append(10)
    case UInt8(ascii: "t"): out.append(9)
    case UInt8(ascii: "r"): out.append(13)
    case UInt8(ascii: "a"): out.append(7)
    case UInt8(ascii: "b"): out.append(8)
    case UInt8(ascii: "f"): out.append(12)
    case UInt8(ascii: "v"): out.append(11)
    case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): out.append(byte)
    case UInt8(ascii: "x"):
        guard let code = takeNumber(body, &index, digits: 2, radix: 16) else { return false }
        out.append(UInt8(truncatingIfNeeded: code))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
        let digits = byte == UInt8(ascii: "u") ? 4 : 8
        guard let code = takeNumber(body, &index, digits: digits, radix: 16), let scalar = Unicode.Scalar(code) else {
            return false
        }
        out += Array(String(Character(scalar)).utf8)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
        index -= 1
        guard let code = takeNumber(body, &index, digits: 3, radix: 8), code < 256 else { return false }
        out.append(UInt8(code))
    default: return false
    }
    return true
}

private func takeNumber(_ body: ArraySlice<UInt8>, _ index: inout Int, digits: Int, radix: Int) -> UInt32? {
    guard index + digits <= body.endIndex else { return nil }
    defer { index += digits }
    return UInt32(String(decoding: body[index..<index + digits], as: UTF8.self), radix: radix)
}

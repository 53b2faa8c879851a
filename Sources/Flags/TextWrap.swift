// SPDX-License-Identifier: Apache-2.0

/// How far a last line may exceed its column rather than leave one short word alone on a line.
private let slack = 5
/// Columns narrower than this are not worth wrapping into.
private let narrowest = 24

/// `text` broken at white space so that it fits between column `indent` and `width`; the first line is not indented.
/// `width` 0 means no limit. Line breaks inside `text` stay and are indented.
func wrapped(_ text: String, indent: Int, width: Int) -> String {
    if width == 0 { return indentedLines(Array(text.utf8)[...], by: indent) }
    var indent = indent
    var out = ""
    if width - indent < narrowest {
        // Too little room beside the names: start on the next line.
        indent = 16
        out = "\n" + spaces(indent)
    }
    let room = width - indent - slack
    if room + slack < narrowest { return indentedLines(Array(text.utf8)[...], by: indent) }
    var rest = Array(text.utf8)[...]
    var isFirst = true
    repeat {
        let line = takeLine(&rest, room: room)
        if !isFirst { out += "\n" + spaces(indent) }
        out += indentedLines(line, by: indent)
        isFirst = false
    } while !rest.isEmpty
    return out
}

/// Removes one line of at most `room` bytes from the front of `rest`, or all of it when it nearly fits.
private func takeLine(_ rest: inout ArraySlice<UInt8>, room: Int) -> ArraySlice<UInt8> {
    let whole = rest
    if room + slack > whole.count {
        rest = []
        return whole
    }
    let head = whole.prefix(room)
    guard let blank = head.lastIndex(where: isBlank), blank > whole.startIndex else {
        rest = []
        return whole
    }
    var cut = blank
    if let newline = head.lastIndex(of: UInt8(ascii: "\n")), newline > whole.startIndex { cut = newline }
    rest = whole[(cut + 1)...]
    return whole[..<cut]
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
}

private func indentedLines(_ bytes: ArraySlice<UInt8>, by indent: Int) -> String {
    var out: [UInt8] = []
    for byte in bytes {
        out.append(byte)
        if byte == UInt8(ascii: "\n") { out += Array(spaces(indent).utf8) }
    }
    return String(decoding: out, as: UTF8.self)
}

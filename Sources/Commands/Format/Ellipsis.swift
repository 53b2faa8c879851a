// SPDX-License-Identifier: Apache-2.0

/// Text cut to a number of columns.
package enum Ellipsis {
    /// `text` if it fits into `columns`, else its beginning and `…`. Wide characters of East Asia take two columns.
    package static func cut(_ text: String, _ columns: Int) -> String {
        if columns <= 0 { return "" }
        let widths = text.unicodeScalars.map(width)
        if widths.reduce(0, +) <= columns { return text }
        if columns == 1 { return String(text.unicodeScalars.first.map { Character($0) } ?? " ") }
        var kept = String.UnicodeScalarView()
        var used = 0
        for (scalar, width) in zip(text.unicodeScalars, widths) {
            if used + width > columns - 1 { break }
            used += width
            kept.append(scalar)
        }
        return String(kept) + "…"
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            2
        default: 1
        }
    }

    /// The first 12 digits of an id, without `sha256:`.
    package static func id(_ id: String) -> String {
        let hex = id.cut(":").map(\.1) ?? id
        return String(decoding: hex.utf8.prefix(12), as: UTF8.self)
    }
}

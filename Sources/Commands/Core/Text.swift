// SPDX-License-Identifier: Apache-2.0
import Flags

extension String {
    /// The parts before and behind the first `mark` (one ASCII character); nil if there is none.
    package func cut(_ mark: Unicode.Scalar) -> (String, String)? {
        let bytes = Array(utf8)
        guard let index = bytes.firstIndex(of: UInt8(truncatingIfNeeded: mark.value)) else { return nil }
        return (
            String(decoding: bytes[..<index], as: UTF8.self), String(decoding: bytes[(index + 1)...], as: UTF8.self)
        )
    }

    /// The parts before and behind the last `mark` (one ASCII character); nil if there is none.
    package func cutLast(_ mark: Unicode.Scalar) -> (String, String)? {
        let bytes = Array(utf8)
        guard let index = bytes.lastIndex(of: UInt8(truncatingIfNeeded: mark.value)) else { return nil }
        return (
            String(decoding: bytes[..<index], as: UTF8.self), String(decoding: bytes[(index + 1)...], as: UTF8.self)
        )
    }

    /// All parts between `mark`s, empty ones included.
    package func parts(_ mark: Unicode.Scalar) -> [String] {
        utf8.split(separator: UInt8(truncatingIfNeeded: mark.value), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Without white space at both ends.
    package var trimmed: String {
        var bytes = Substring(self).utf8
        while let first = bytes.first, first == 32 || (9...13).contains(first) { bytes.removeFirst() }
        while let last = bytes.last, last == 32 || (9...13).contains(last) { bytes.removeLast() }
        return String(Substring(bytes))
    }

    /// Whether every character is a decimal digit, and there is one.
    package var isDigits: Bool { !isEmpty && utf8.allSatisfy { $0 >= 48 && $0 <= 57 } }

    package func contains(text: String) -> Bool {
        let (all, wanted) = (Array(utf8), Array(text.utf8))
        if wanted.isEmpty { return true }
        guard all.count >= wanted.count else { return false }
        return (0...(all.count - wanted.count)).contains { all[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }

    /// With every `old` replaced by `new`.
    package func replacingText(_ old: String, with new: String) -> String {
        let (all, wanted) = (Array(utf8), Array(old.utf8))
        var out: [UInt8] = []
        var index = 0
        while index < all.count {
            if !wanted.isEmpty, index + wanted.count <= all.count,
                all[index..<index + wanted.count].elementsEqual(wanted)
            {
                out += Array(new.utf8)
                index += wanted.count
            } else {
                out.append(all[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// This text in double quotes with the escapes of Go's `%q`.
    package var quoted: String { Flags.quoted(self) }
}

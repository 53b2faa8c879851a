// SPDX-License-Identifier: Apache-2.0

/// Shell patterns as Go's path.Match has them: `*` and `?` do not cross a slash, `[a-z]`, `[^x]`, `\x`.
package enum Glob {
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        matches(Array(pattern.unicodeScalars)[...], Array(text.unicodeScalars)[...])
    }

    private typealias Scalars = ArraySlice<Unicode.Scalar>

    private static func matches(_ pattern: Scalars, _ text: Scalars) -> Bool {
        var pattern = pattern
        var text = text
        while let first = pattern.first {
            switch first {
            case "*": return matchesStar(pattern.drop { $0 == "*" }, text)
            case "[":
                guard let scalar = text.first, let rest = matchClass(pattern.dropFirst(), scalar) else { return false }
                pattern = rest
            case "?":
                guard let scalar = text.first, scalar != "/" else { return false }
                pattern = pattern.dropFirst()
            default:
                if first == "\\" { pattern = pattern.dropFirst() }
                guard let wanted = pattern.first, text.first == wanted else { return false }
                pattern = pattern.dropFirst()
            }
            text = text.dropFirst()
        }
        return text.isEmpty
    }

    private static func matchesStar(_ rest: Scalars, _ text: Scalars) -> Bool {
        var text = text
        while true {
            if matches(rest, text) { return true }
            guard let scalar = text.first, scalar != "/" else { return false }
            text = text.dropFirst()
        }
    }

    /// `pattern` is what follows `[`; returns what follows `]` if the scalar is in the class.
    private static func matchClass(_ pattern: Scalars, _ scalar: Unicode.Scalar) -> Scalars? {
        var pattern = pattern
        let isNegated = pattern.first == "^"
        if isNegated { pattern = pattern.dropFirst() }
        var isIn = false
        var isFirst = true
        while let low = pattern.first, low != "]" || isFirst {
            isFirst = false
            pattern = pattern.dropFirst()
            var high = low
            if pattern.first == "-", let end = pattern.dropFirst().first, end != "]" {
                high = end
                pattern = pattern.dropFirst(2)
            }
            if low <= scalar, scalar <= high { isIn = true }
        }
        guard pattern.first == "]", isIn != isNegated else { return nil }
        return pattern.dropFirst()
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Shell patterns as Go's path.Match has them: `*` and `?` do not cross a slash, `[a-z]`, `[^x]`, `\x`.
package enum Glob {
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        matches(Array(pattern.unicodeScalars)[...], Array(text.unicodeScalars)[...])
    }

    /// Whether each `[` has its `]`, and each backslash something behind it.
    package static func isWellFormed(_ pattern: String) -> Bool {
        var rest = Array(pattern.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\": guard rest.popFirst() != nil else { return false }
            case "[":
                if rest.first == "^" { rest.removeFirst() }
                guard rest.first != "]", let end = rest.firstIndex(of: "]") else { return false }
                rest = rest[(end + 1)...]
            default: break
            }
        }
        return true
    }

    private typealias Scalars = ArraySlice<Unicode.Scalar>

    /// A mismatch is only ever retried with the last `*` taking one more: what an earlier one could take instead, the
    /// last one could take as well. So the time is at most the product of the lengths.
    private static func matches(_ pattern: Scalars, _ text: Scalars) -> Bool {
        var (pattern, text) = (pattern, text)
        var retry: (pattern: Scalars, text: Scalars)?
        while true {
            if pattern.first == "*" {
                pattern = pattern.drop { $0 == "*" }
                retry = (pattern, text)
            } else if pattern.isEmpty, text.isEmpty {
                return true
            } else if let scalar = text.first, let rest = matchOne(pattern, scalar) {
                (pattern, text) = (rest, text.dropFirst())
            } else {
                guard let last = retry, let scalar = last.text.first, scalar != "/" else { return false }
                (pattern, text) = (last.pattern, last.text.dropFirst())
                retry = (pattern, text)
            }
        }
    }

    /// What follows the first element of `pattern`, if that matches the scalar.
    private static func matchOne(_ pattern: Scalars, _ scalar: Unicode.Scalar) -> Scalars? {
        switch pattern.first {
        case nil: return nil
        case "[": return matchClass(pattern.dropFirst(), scalar)
        case "?": return scalar == "/" ? nil : pattern.dropFirst()
        case "\\":
            let rest = pattern.dropFirst()
            return rest.first == scalar ? rest.dropFirst() : nil
        case let wanted: return wanted == scalar ? pattern.dropFirst() : nil
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

// SPDX-License-Identifier: Apache-2.0

/// Reads the syntax of RE2 but for what names have no use for: Unicode classes, flags, word boundaries.
struct RegularExpressionParser {
    typealias Node = RegularExpression.Node
    typealias ScalarSet = RegularExpression.ScalarSet

    private static let deepestNesting = 100
    private static let mostRepetitions = 1000

    private var rest: ArraySlice<Unicode.Scalar>

    init(_ text: String) { rest = Array(text.unicodeScalars)[...] }

    /// nil if the text is no expression.
    mutating func parse() -> Node? {
        guard let node = choice(depth: 0), rest.isEmpty else { return nil }
        return node
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.unicodeScalars) else { return false }
        rest.removeFirst(text.unicodeScalars.count)
        return true
    }

    private mutating func choice(depth: Int) -> Node? {
        guard depth < Self.deepestNesting else { return nil }
        var nodes: [Node] = []
        repeat {
            guard let node = sequence(depth: depth) else { return nil }
            nodes.append(node)
        } while take("|" as Unicode.Scalar)
        return nodes.count == 1 ? nodes[0] : .choice(nodes)
    }

    private mutating func sequence(depth: Int) -> Node? {
        var nodes: [Node] = []
        while let next = rest.first, next != "|", next != ")" {
            guard let node = atom(depth: depth).flatMap({ repeated($0) }) else { return nil }
            nodes.append(node)
        }
        return .sequence(nodes)
    }

    /// How often comes behind; `??` and the like differ only in what they would capture. RE2 refuses `a**`.
    private mutating func repeated(_ node: Node) -> Node? {
        let counts: (Int, Int?)
        if take("*" as Unicode.Scalar) {
            counts = (0, nil)
        } else if take("+" as Unicode.Scalar) {
            counts = (1, nil)
        } else if take("?" as Unicode.Scalar) {
            counts = (0, 1)
        } else if let braces = braces() {
            let high = braces.1 ?? braces.0
            guard braces.0 <= high, high <= Self.mostRepetitions else { return nil }
            counts = braces
        } else {
            return node
        }
        _ = take("?" as Unicode.Scalar)
        if let next = rest.first, "*+?".unicodeScalars.contains(next) { return nil }
        return .repeated(node, from: counts.0, to: counts.1)
    }

    /// `{2}`, `{2,}`, `{2,5}`; anything else in braces is text.
    private mutating func braces() -> (Int, Int?)? {
        let before = rest
        guard take("{" as Unicode.Scalar), let low = number() else {
            rest = before
            return nil
        }
        var high: Int? = low
        if take("," as Unicode.Scalar) { high = number() }
        if take("}" as Unicode.Scalar) { return (low, high) }
        rest = before
        return nil
    }

    private mutating func number() -> Int? {
        let digits = rest.prefix { ("0"..."9").contains($0) }
        rest = rest.dropFirst(digits.count)
        if digits.isEmpty { return nil }
        return Int(String(String.UnicodeScalarView(digits))) ?? .max
    }

    private mutating func atom(depth: Int) -> Node? {
        guard let next = rest.popFirst() else { return nil }
        switch next {
        case "(":
            if take("?" as Unicode.Scalar) {
                guard take(":" as Unicode.Scalar) || groupName() else { return nil }
            }
            guard let node = choice(depth: depth + 1), take(")" as Unicode.Scalar) else { return nil }
            return node
        case "[": return bracketed().map { .set($0) }
        case ".": return .set(ScalarSet(ranges: [10...10], isNegated: true))
        case "^": return .start
        case "$": return .end
        case "*", "+", "?": return nil
        case "\\":
            if take("A" as Unicode.Scalar) { return .start }
            if take("z" as Unicode.Scalar) { return .end }
            return escaped().map { .set($0) }
        default: return .set(ScalarSet(ranges: [next.value...next.value]))
        }
    }

    /// `P<name>` or `<name>`
    private mutating func groupName() -> Bool {
        guard take("P<") || take("<") else { return false }
        let name = rest.prefix { $0 != ">" }
        rest = rest.dropFirst(name.count)
        return take(">" as Unicode.Scalar) && !name.isEmpty
    }

    private static let digits: [ClosedRange<UInt32>] = [48...57]
    private static let words: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
    private static let spaces: [ClosedRange<UInt32>] = [9...10, 12...13, 32...32]

    /// What follows a backslash.
    private mutating func escaped() -> ScalarSet? {
        guard let next = rest.popFirst() else { return nil }
        switch next {
        case "d", "D": return ScalarSet(ranges: Self.digits, isNegated: next == "D")
        case "w", "W": return ScalarSet(ranges: Self.words, isNegated: next == "W")
        case "s", "S": return ScalarSet(ranges: Self.spaces, isNegated: next == "S")
        case "n": return ScalarSet(ranges: [10...10])
        case "r": return ScalarSet(ranges: [13...13])
        case "t": return ScalarSet(ranges: [9...9])
        default:
            guard next.isASCII, !Self.words.contains(where: { $0.contains(next.value) }) || next == "_" else {
                return nil
            }
            return ScalarSet(ranges: [next.value...next.value])
        }
    }

    /// What follows `[`, up to and with `]`.
    private mutating func bracketed() -> ScalarSet? {
        var set = ScalarSet(ranges: [], isNegated: take("^" as Unicode.Scalar))
        var isFirst = true
        while isFirst || rest.first != "]" {
            isFirst = false
            guard let low = member() else { return nil }
            guard low.count == 1, low[0].count == 1, rest.count > 1, rest.first == "-", rest.dropFirst().first != "]"
            else {
                set.ranges += low
                continue
            }
            rest.removeFirst()
            guard let high = member(), high.count == 1, high[0].count == 1, low[0].lowerBound <= high[0].lowerBound
            else { return nil }
            set.ranges.append(low[0].lowerBound...high[0].lowerBound)
        }
        rest.removeFirst()
        return set
    }

    /// One scalar of a bracket expression, or a class like `\d` or `[:alpha:]`.
    private mutating func member() -> [ClosedRange<UInt32>]? {
        for (name, ranges) in Self.classes where take(name) { return ranges }
        guard let next = rest.popFirst() else { return nil }
        guard next == "\\" else { return [next.value...next.value] }
        guard let set = escaped(), !set.isNegated else { return nil }
        return set.ranges
    }

    private static let classes: [(String, [ClosedRange<UInt32>])] = [
        ("[:alnum:]", [48...57, 65...90, 97...122]), ("[:alpha:]", [65...90, 97...122]), ("[:digit:]", digits),
        ("[:lower:]", [97...122]), ("[:upper:]", [65...90]), ("[:word:]", words),
    ]
}

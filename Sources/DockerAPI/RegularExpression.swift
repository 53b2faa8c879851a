// SPDX-License-Identifier: Apache-2.0

/// A regular expression in Go's syntax, as docker's filters of names are; it tells whether a text has a match.
///
/// The time is at most the product of the lengths of program and text, whatever a client writes: all ways through the
/// program are walked at once (Thompson's construction), none is tried again.
struct RegularExpression {
    /// One step of the program, which goes on with the next one unless it says otherwise.
    fileprivate enum Step {
        case scalar(ScalarSet)
        case split(Int, Int)
        case jump(Int)
        case start
        case end
        case accept
    }

    /// Ranges of scalars, or all others.
    struct ScalarSet {
        var ranges: [ClosedRange<UInt32>]
        var isNegated = false

        func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }
    }

    /// What the parser makes of the text.
    indirect enum Node {
        case set(ScalarSet)
        case start
        case end
        case sequence([Node])
        case choice([Node])
        case repeated(Node, from: Int, to: Int?)
    }

    private var program: [Step] = []
    /// Steps that may still be made, nodes that may still be visited: repetitions of repetitions multiply.
    private var budget = 20_000

    /// nil if the text is no expression, or too large a one.
    init?(_ text: String) {
        var parser = RegularExpressionParser(text)
        guard let node = parser.parse(), emit(node) else { return nil }
        program.append(.accept)
    }

    // MARK: Compiling

    private mutating func emit(_ node: Node) -> Bool {
        budget -= 1
        guard budget > 0 else { return false }
        switch node {
        case .set(let set): program.append(.scalar(set))
        case .start: program.append(.start)
        case .end: program.append(.end)
        case .sequence(let nodes): return nodes.allSatisfy { emit($0) }
        case .choice(let nodes): return emit(choice: nodes)
        case .repeated(let node, let from, let to): return emit(node, from: from, to: to)
        }
        return true
    }

    private mutating func emit(choice nodes: [Node]) -> Bool {
        var ends: [Int] = []
        for node in nodes.dropLast() {
            let split = reserve()
            guard emit(node) else { return false }
            ends.append(reserve())
            program[split] = .split(split + 1, program.count)
        }
        guard let last = nodes.last, emit(last) else { return false }
        for end in ends { program[end] = .jump(program.count) }
        return true
    }

    private mutating func emit(_ node: Node, from: Int, to: Int?) -> Bool {
        for _ in 0..<from where !emit(node) { return false }
        guard let to else {
            let split = reserve()
            guard emit(node) else { return false }
            program.append(.jump(split))
            program[split] = .split(split + 1, program.count)
            return true
        }
        var splits: [Int] = []
        for _ in from..<max(from, to) {
            splits.append(reserve())
            guard emit(node) else { return false }
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
        return true
    }

    /// The place of a step that is filled in later.
    private mutating func reserve() -> Int {
        program.append(.accept)
        return program.count - 1
    }

    // MARK: Matching

    /// Whether any part of `text` matches.
    func hasMatch(in text: String) -> Bool {
        let scalars = text.unicodeScalars.map(\.value)
        var current: [Int] = []
        for position in 0...scalars.count {
            var seen = [Bool](repeating: false, count: program.count)
            var waiting: [ScalarStep] = []
            for step in current + [0] where follow(step, position, scalars.count, &seen, &waiting) { return true }
            guard position < scalars.count else { break }
            current = waiting.filter { $0.set.contains(scalars[position]) }.map(\.next)
        }
        return false
    }

    private typealias ScalarStep = (set: ScalarSet, next: Int)

    /// Collects what is reached from `step` without taking a scalar; true when that is the end of the program.
    private func follow(
        _ step: Int, _ position: Int, _ count: Int, _ seen: inout [Bool], _ waiting: inout [ScalarStep]
    ) -> Bool {
        var open = [step]
        while let index = open.popLast() {
            if seen[index] { continue }
            seen[index] = true
            switch program[index] {
            case .scalar(let set): waiting.append((set, index + 1))
            case .split(let one, let other): open += [other, one]
            case .jump(let target): open.append(target)
            case .start: if position == 0 { open.append(index + 1) }
            case .end: if position == count { open.append(index + 1) }
            case .accept: return true
            }
        }
        return false
    }
}

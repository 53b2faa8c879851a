// SPDX-License-Identifier: Apache-2.0

/// Writes a filter anew so that it is quick and does the same.
///
/// libseccomp's filters compare the call's number with one constant after the other. To load one of a thousand
/// instructions takes the kernel almost a millisecond: it compiles each, and runs the filter for every number there
/// is. The outcome changes only at those constants. So the filter is followed here for each range of numbers between
/// them, and written as a search for the range. What arguments decide stays as instructions, less those that
/// the number has decided.
struct FilterCondenser {
    private let program: [FilterInstruction]
    private var architectures: [UInt32] = []
    /// Where ranges of numbers begin.
    private var bounds: [UInt32] = [0]

    /// `program` itself if it has anything that is not understood, or if it would become much longer: a search is
    /// quicker than a list of the same length.
    static func condense(_ program: [UInt8]) -> [UInt8] {
        guard let condenser = FilterCondenser(program), let found = condenser.written()?.bytes else { return program }
        return found.count <= program.count / 4 * 5 ? found : program
    }

    private init?(_ bytes: [UInt8]) {
        guard let program = [FilterInstruction](bytes: bytes) else { return nil }
        self.program = program
        guard findConstants() else { return nil }
        bounds = sortedOnce(bounds)
        architectures = sortedOnce(architectures)
    }

    // MARK: Reading

    /// What the accumulator may hold when an instruction is reached.
    private struct Contents: OptionSet {
        let rawValue: UInt8
        static let zero = Contents(rawValue: 1)
        static let number = Contents(rawValue: 2)
        static let architecture = Contents(rawValue: 4)
        static let argument = Contents(rawValue: 8)

        init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Of a word of `struct seccomp_data`.
        init(offset: UInt32) { self = offset == 0 ? .number : offset == 4 ? .architecture : .argument }
    }

    /// Collects what numbers and architectures are compared with. False if it is more than that.
    private mutating func findConstants() -> Bool {
        var reached = [Contents](repeating: [], count: program.count + 1)
        reached[0] = .zero
        for (index, one) in program.enumerated() where !reached[index].isEmpty {
            let contents = reached[index]
            switch one.operation {
            case .answer: continue
            case .load: reached[index + 1].formUnion(Contents(offset: one.value))
            case .mask:
                if contents != .argument { return false }
                reached[index + 1].formUnion(.argument)
            case .jump:
                guard Int(one.value) < program.count - index else { return false }
                reached[index + 1 + Int(one.value)].formUnion(contents)
            case .jumpIfEqual, .jumpIfGreater, .jumpIfAtLeast, .jumpIfAnySet:
                guard note(one, contents) else { return false }
                for distance in [one.then, one.otherwise] {
                    guard Int(distance) < program.count - index else { return false }
                    reached[index + 1 + Int(distance)].formUnion(contents)
                }
            }
        }
        return reached[program.count].isEmpty  // every way ends with an answer
    }

    private mutating func note(_ jump: FilterInstruction, _ contents: Contents) -> Bool {
        if contents.contains(.zero) { return false }
        if contents.contains(.architecture) {
            guard jump.operation == .jumpIfEqual else { return false }
            architectures.append(jump.value)
        }
        if contents.contains(.number) {
            if jump.operation == .jumpIfAnySet { return false }
            if jump.operation != .jumpIfGreater { bounds.append(jump.value) }
            if jump.operation != .jumpIfAtLeast, jump.value < .max { bounds.append(jump.value + 1) }
        }
        return true
    }

    // MARK: Following

    /// One call, as far as it is known.
    private struct Call {
        let number: UInt32
        let architecture: UInt32
        /// How many more instructions its remainder may have.
        var room = 250
    }

    /// What is left of the program from `start` on when the call is known but for its arguments. Nil if that is long.
    private func remainder(from start: Int, _ known: UInt32?, _ call: inout Call) -> [FilterInstruction]? {
        var (index, accumulator) = (start, known)
        var left: [FilterInstruction] = []
        while true {
            let one = program[index]
            index += 1
            switch one.operation {
            case .load where one.value == 0: accumulator = call.number
            case .load where one.value == 4: accumulator = call.architecture
            case .load, .mask:
                accumulator = nil
                left.append(one)
            case .answer: return left + [one]
            case .jump: index += Int(one.value)
            case .jumpIfEqual, .jumpIfGreater, .jumpIfAtLeast, .jumpIfAnySet:
                if let accumulator {
                    index += Int(one.holds(for: accumulator) ? one.then : one.otherwise)
                } else {
                    guard let branches = branches(one, index, &call) else { return nil }
                    return left + branches
                }
            }
        }
    }

    private func branches(_ jump: FilterInstruction, _ index: Int, _ call: inout Call) -> [FilterInstruction]? {
        call.room -= 1
        guard call.room > 0, let then = remainder(from: index + Int(jump.then), nil, &call),
            let otherwise = remainder(from: index + Int(jump.otherwise), nil, &call), then.count < 250
        else { return nil }
        if then == otherwise { return then }
        return [FilterInstruction(jump.operation, jump.value, otherwise: UInt8(then.count))] + then + otherwise
    }

    // MARK: Writing

    private func ranges(_ architecture: UInt32) -> [FilterWriter.Range]? {
        var ranges: [FilterWriter.Range] = []
        for start in bounds {
            var call = Call(number: start, architecture: architecture)
            guard let outcome = remainder(from: 0, 0, &call) else { return nil }
            if ranges.last?.outcome != outcome { ranges.append(.init(start: start, outcome: outcome)) }
        }
        return ranges
    }

    private func written() -> [FilterInstruction]? {
        var other: UInt32 = 0
        while architectures.contains(other) { other += 1 }
        var writer = FilterWriter()
        guard let rest = ranges(other) else { return nil }
        var entry = writer.writeSearch(rest[...])
        for architecture in architectures {
            guard let ranges = ranges(architecture) else { return nil }
            let own = writer.writeSearch(ranges[...])
            entry = writer.writeChoice(.jumpIfEqual, architecture, then: own, otherwise: entry)
        }
        return writer.finished(entry, withArchitecture: !architectures.isEmpty)
    }
}

/// Sorted, each value once.
private func sortedOnce(_ values: [UInt32]) -> [UInt32] {
    var result: [UInt32] = []
    for value in values.sorted() where result.last != value { result.append(value) }
    return result
}

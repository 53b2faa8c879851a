// SPDX-License-Identifier: Apache-2.0

/// Writes a filter from its end to its start, since jumps only lead forward: what a jump leads to is there already.
/// A place is the number of instructions behind it.
struct FilterWriter {
    /// Calls from a number on, and the instructions that answer them.
    struct Range {
        let start: UInt32
        let outcome: [FilterInstruction]
    }

    private var reversed: [FilterInstruction] = []
    private var outcomes: [(instructions: [FilterInstruction], place: Int)] = []

    /// The farthest that a conditional jump is asked to lead; it could by two more.
    private static let reach = 253

    /// A search for the range that the call's number is in; the place where it starts.
    mutating func writeSearch(_ ranges: ArraySlice<Range>) -> Int {
        let entry = writeTree(ranges)
        if ranges.count < 2 { return entry }
        reversed.append(FilterInstruction(.load, 0))
        return reversed.count - 1
    }

    private mutating func writeTree(_ ranges: ArraySlice<Range>) -> Int {
        if ranges.count == 1 { return writeOutcome(ranges[ranges.startIndex].outcome) }
        let middle = ranges.startIndex + ranges.count / 2
        let upper = writeTree(ranges[middle...])
        let lower = writeTree(ranges[..<middle])
        return writeChoice(.jumpIfAtLeast, ranges[middle].start, then: upper, otherwise: lower)
    }

    /// An outcome that is in reach is not written again.
    private mutating func writeOutcome(_ outcome: [FilterInstruction]) -> Int {
        if let index = outcomes.firstIndex(where: { $0.instructions == outcome }) {
            if distance(to: outcomes[index].place) <= FilterWriter.reach / 2 { return outcomes[index].place }
            outcomes.remove(at: index)
        }
        for one in outcome.reversed() { reversed.append(one) }
        outcomes.append((outcome, reversed.count - 1))
        return reversed.count - 1
    }

    /// A conditional jump; its place.
    mutating func writeChoice(
        _ operation: FilterInstruction.Operation, _ value: UInt32, then: Int, otherwise: Int
    ) -> Int {
        let (then, otherwise) = (inReach(then), inReach(otherwise))
        reversed.append(
            FilterInstruction(
                operation, value, then: UInt8(distance(to: then)), otherwise: UInt8(distance(to: otherwise))))
        return reversed.count - 1
    }

    private func distance(to place: Int) -> Int { reversed.count - place - 1 }

    /// A place that leads to `place` and that the next instruction can jump to.
    private mutating func inReach(_ place: Int) -> Int {
        if distance(to: place) <= FilterWriter.reach { return place }
        reversed.append(FilterInstruction(.jump, UInt32(distance(to: place))))
        return reversed.count - 1
    }

    /// The program, which starts at `entry`.
    consuming func finished(_ entry: Int, withArchitecture: Bool) -> [FilterInstruction] {
        if entry != reversed.count - 1 { reversed.append(FilterInstruction(.jump, UInt32(distance(to: entry)))) }
        if withArchitecture { reversed.append(FilterInstruction(.load, 4)) }
        return reversed.reversed()
    }
}

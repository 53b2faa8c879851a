// SPDX-License-Identifier: Apache-2.0

/// Which parts of a sparse file have data in the archive.
enum SparseMap {
    /// More fragments than this are no file that anyone made: the map itself is held in memory.
    static let maximumFragments = 1 << 18

    /// Checks the pairs of offset and length: in order, without overlap, inside the file.
    static func ranges(_ numbers: [Int64], size: Int64) throws(ArchiveError) -> [Range<Int64>] {
        guard size >= 0, numbers.count % 2 == 0, numbers.count / 2 <= maximumFragments else { throw malformed }
        var ranges: [Range<Int64>] = []
        var end: Int64 = 0
        for index in stride(from: 0, to: numbers.count, by: 2) {
            let (offset, length) = (numbers[index], numbers[index + 1])
            guard offset >= end, length >= 0, offset <= size, length <= size - offset else { throw malformed }
            end = offset + length
            if length > 0 { ranges.append(offset..<end) }
        }
        return ranges
    }

    /// The data bytes of all ranges.
    static func dataSize(_ ranges: [Range<Int64>]) -> Int64 {
        var total: Int64 = 0
        for range in ranges { total += range.upperBound - range.lowerBound }
        return total
    }

    /// The four (or, in an extension block, 21) pairs of an old GNU sparse header; an empty pair ends them.
    static func oldGNU(_ block: TarBlock, offset: Int, count: Int) throws(ArchiveError) -> [Int64] {
        var numbers: [Int64] = []
        for index in 0..<count {
            let position = offset + index * 24
            guard block.bytes[position] != 0 else { break }
            numbers.append(try block.number(position, 12))
            numbers.append(try block.number(position + 12, 12))
        }
        return numbers
    }

    static let malformed = ArchiveError("invalid tar header: malformed sparse map")
}

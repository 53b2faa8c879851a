// SPDX-License-Identifier: Apache-2.0

/// Reads a tar stream entry by entry, strictly: whatever two readers might understand differently is an error.
///
/// Extended headers are limited to 1 MiB, and nothing else is held in memory.
package final class TarReader {
    private let source: InputBuffer
    /// Where in the archive the next unread byte is.
    package private(set) var position: Int64 = 0
    /// Data bytes of the current entry that were not read yet, and the padding behind them.
    private var dataLeft: Int64 = 0
    private var padding: Int64 = 0
    private var isFinished = false
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 16)

    static let maximumHeader: Int64 = 1 << 20

    package init(_ source: any ByteSource) { self.source = InputBuffer(source) }

    deinit { scratch.deallocate() }

    /// The next entry, its data ready to be read; nil at the end of the archive. Unread data is skipped.
    package func next() throws -> TarEntry? {
        var extended = PAXRecords()
        var longName: [UInt8]?
        var longLink: [UInt8]?
        while let block = try nextHeader() {
            switch block.typeFlag {
            case UInt8(ascii: "x"), UInt8(ascii: "X"): extended = try PAXRecords(parsing: payload(block))
            case UInt8(ascii: "g"): _ = try payload(block)  // defaults for all entries: nobody's layers have them
            case UInt8(ascii: "L"): longName = try longText(block)
            case UInt8(ascii: "K"): longLink = try longText(block)
            default:
                var header = TarHeader(block: block, extended: extended, longName: longName, longLink: longLink)
                return try entry(&header)
            }
        }
        return nil
    }

    /// Reads data of the current entry, as much as the buffer holds or there is; 0 is its end. Of a sparse file only the
    /// data ranges are there, one after another.
    package func readData(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(Int64(buffer.count), dataLeft))
        var filled = 0
        while filled < wanted {
            let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<wanted]))
            guard got > 0 else { throw ArchiveError.truncated }
            filled += got
            dataLeft -= Int64(got)
            position += Int64(got)
        }
        return filled
    }

    /// The data of the current entry, which must not have more than `limit` bytes.
    package func readAllData(limit: Int) throws -> [UInt8] {
        guard dataLeft <= limit else { throw ArchiveError("tar entry has \(dataLeft) bytes, more than \(limit)") }
        let count = Int(dataLeft)
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try readData(
                into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
        }
    }
}

// MARK: Headers

extension TarReader {
    /// The next non-zero block, verified; nil at the end: two zero blocks, or no more bytes.
    private func nextHeader() throws -> TarBlock? {
        if isFinished { return nil }
        try skip(dataLeft + padding)
        (dataLeft, padding) = (0, 0)
        guard let block = try readBlock() else { return finish() }
        if block.isZero {
            guard let second = try readBlock() else { return finish() }
            guard second.isZero else { throw ArchiveError("invalid tar header: data after a single zero block") }
            return finish()
        }
        try block.verifyChecksum()
        return block
    }

    private func finish() -> TarBlock? {
        isFinished = true
        return nil
    }

    private func entry(_ header: inout TarHeader) throws -> TarEntry {
        var entry = try header.entry()
        dataLeft = header.storedSize
        padding = (512 - header.storedSize % 512) % 512
        try readSparseMap(header, &entry)
        return entry
    }

    /// Old GNU maps go on in extension blocks; version 1.0 maps stand before the data.
    private func readSparseMap(_ header: TarHeader, _ entry: inout TarEntry) throws {
        if header.isOldGNUSparse {
            var numbers = try SparseMap.oldGNU(header.block, offset: 386, count: 4)
            var isExtended = header.block.bytes[482] != 0
            while isExtended {
                guard let block = try readBlock() else { throw ArchiveError.truncated }
                numbers += try SparseMap.oldGNU(block, offset: 0, count: 21)
                isExtended = block.bytes[504] != 0
                guard numbers.count <= SparseMap.maximumFragments * 2 else { throw SparseMap.malformed }
            }
            try useMap(numbers, &entry)
        } else if header.extended.sparse.major == 1 {
            try useMap(try readMap10(), &entry)
        } else if header.extended.sparse.hasMap {
            try useMap(header.extended.sparse.numbers, &entry)
        } else if entry.kind == .regular, entry.size != header.storedSize {
            throw SparseMap.malformed  // a size for a sparse file, and no map of one
        }
    }

    private func useMap(_ numbers: [Int64], _ entry: inout TarEntry) throws {
        let ranges = try SparseMap.ranges(numbers, size: entry.size)
        guard SparseMap.dataSize(ranges) == dataLeft else { throw SparseMap.malformed }
        entry.dataRanges = ranges
    }

    /// Decimal numbers in lines: their count, then offsets and lengths, padded to a block.
    private func readMap10() throws -> [Int64] {
        var numbers: [Int64] = []
        var line: [UInt8] = []
        var wanted: Int?
        while true {
            guard dataLeft >= 512, let block = try readBlock() else { throw SparseMap.malformed }
            dataLeft -= 512
            for byte in block.bytes {
                if wanted.map({ numbers.count == $0 * 2 }) ?? false { return numbers }
                guard byte == UInt8(ascii: "\n") else {
                    line.append(byte)
                    guard line.count <= 20 else { throw SparseMap.malformed }
                    continue
                }
                let number = try PAXRecords.number(line)
                line = []
                if wanted == nil {
                    guard (0...Int64(SparseMap.maximumFragments)).contains(number) else { throw SparseMap.malformed }
                    wanted = Int(number)
                } else {
                    numbers.append(number)
                }
            }
            if wanted.map({ numbers.count == $0 * 2 }) ?? false { return numbers }
        }
    }

    private func payload(_ block: TarBlock) throws -> [UInt8] {
        let size = try block.number(124, 12)
        guard size >= 0, size <= Self.maximumHeader else {
            throw ArchiveError("tar header of \(size) bytes is too long")
        }
        dataLeft = size
        padding = (512 - size % 512) % 512
        return try readAllData(limit: Int(Self.maximumHeader))
    }

    private func longText(_ block: TarBlock) throws -> [UInt8] {
        Array(try payload(block).prefix { $0 != 0 })
    }

    /// A whole block, or nil if the source ends right before it.
    private func readBlock() throws -> TarBlock? {
        var filled = 0
        while filled < TarBlock.size {
            let rest = UnsafeMutableRawBufferPointer(rebasing: scratch[filled..<TarBlock.size])
            let got = try source.read(into: rest)
            if got == 0 {
                if filled == 0 { return nil }
                throw ArchiveError.truncated
            }
            filled += got
            position += Int64(got)
        }
        return TarBlock(Array(scratch[..<TarBlock.size]))
    }

    private func skip(_ count: Int64) throws {
        var left = count
        while left > 0 {
            let wanted = Int(min(left, Int64(scratch.count)))
            let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<wanted]))
            guard got > 0 else { throw ArchiveError.truncated }
            left -= Int64(got)
            position += Int64(got)
        }
    }
}

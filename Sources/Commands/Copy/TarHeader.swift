// SPDX-License-Identifier: Apache-2.0

/// One 512-byte header of a tar archive (POSIX.1-1988 ustar, with GNU's and pax's extensions for long names).
package struct TarHeader: Sendable, Equatable {
    package var name = ""
    package var mode: UInt32 = 0o644
    package var user: Int64 = 0
    package var group: Int64 = 0
    package var size: Int64 = 0
    package var modified: Int64 = 0
    /// `0` file, `1` hard link, `2` symbolic link, `3`/`4` device, `5` directory, `6` fifo, `L`/`K` GNU long names,
    /// `x`/`g` pax.
    package var kind = UInt8(ascii: "0")
    package var link = ""

    package init() {}

    // MARK: Reading

    /// nil for a block of zeros, the end of an archive.
    package init?(block: [UInt8]) throws {
        guard block.count == 512 else { throw CommandFailure("malformed tar archive: truncated header") }
        if block.allSatisfy({ $0 == 0 }) { return nil }
        try TarHeader.verify(block)
        name = TarHeader.text(block[0..<100])
        mode = UInt32(truncatingIfNeeded: try TarHeader.number(block[100..<108])) & 0o7777
        user = try TarHeader.number(block[108..<116])
        group = try TarHeader.number(block[116..<124])
        size = try TarHeader.number(block[124..<136])
        modified = try TarHeader.number(block[136..<148])
        kind = block[156] == 0 ? UInt8(ascii: "0") : block[156]
        link = TarHeader.text(block[157..<257])
        if TarHeader.text(block[257..<262]) == "ustar", block[262] == 0 {
            let prefix = TarHeader.text(block[345..<500])
            if !prefix.isEmpty { name = prefix + "/" + name }
        }
        guard size >= 0 else { throw CommandFailure("malformed tar archive: negative size") }
    }

    private static func verify(_ block: [UInt8]) throws {
        var sum: Int64 = 0
        for (index, byte) in block.enumerated() { sum += (148..<156).contains(index) ? 32 : Int64(byte) }
        guard try number(block[148..<156]) == sum else { throw CommandFailure("malformed tar archive: bad checksum") }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Octal digits, or GNU's binary form when the first bit is set.
    private static func number(_ field: ArraySlice<UInt8>) throws -> Int64 {
        if let first = field.first, first & 0x80 != 0 {
            return field.dropFirst().suffix(8).reduce(Int64(first & 0x3F == 0 ? 0 : -1)) { $0 << 8 | Int64($1) }
        }
        var value: Int64 = 0
        for byte in field where byte != 0 && byte != 32 {
            guard byte >= 48, byte <= 55 else { throw CommandFailure("malformed tar archive: bad number") }
            value = value << 3 | Int64(byte - 48)
        }
        return value
    }

    // MARK: Writing

    /// The header's blocks; names that do not fit get a block of GNU's `L` or `K` kind before it.
    package var blocks: [UInt8] {
        var out: [UInt8] = []
        if name.utf8.count > 99 { out += TarHeader.longName(name, UInt8(ascii: "L")) }
        if link.utf8.count > 99 { out += TarHeader.longName(link, UInt8(ascii: "K")) }
        return out + block
    }

    private static func longName(_ text: String, _ kind: UInt8) -> [UInt8] {
        var header = TarHeader()
        header.name = "././@LongLink"
        header.kind = kind
        let bytes = Array(text.utf8) + [0]
        header.size = Int64(bytes.count)
        return header.block + bytes + TarHeader.padding(Int64(bytes.count))
    }

    private var block: [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], _ at: Int, _ width: Int) {
            for (index, byte) in bytes.prefix(width).enumerated() { block[at + index] = byte }
        }
        put(Array(name.utf8), 0, 99)
        put(TarHeader.octal(Int64(mode), 7), 100, 8)
        put(TarHeader.octal(user, 7), 108, 8)
        put(TarHeader.octal(group, 7), 116, 8)
        put(TarHeader.octal(size, 11), 124, 12)
        put(TarHeader.octal(modified, 11), 136, 12)
        block[156] = kind
        put(Array(link.utf8), 157, 99)
        put(Array("ustar".utf8) + [32, 32], 257, 7)
        var sum: Int64 = 8 * 32
        for byte in block { sum += Int64(byte) }
        put(TarHeader.octal(sum, 6) + [0, 32], 148, 8)
        return block
    }

    /// Octal digits, or GNU's binary form when they do not fit.
    private static func octal(_ value: Int64, _ width: Int) -> [UInt8] {
        let digits = Array(String(max(0, value), radix: 8).utf8)
        if digits.count <= width { return [UInt8](repeating: 48, count: width - digits.count) + digits }
        var bytes = [UInt8](repeating: 0, count: width + 1)
        bytes[0] = 0x80
        for index in 0..<8 where width - index > 0 { bytes[width - index] = UInt8(value >> (8 * Int64(index)) & 0xFF) }
        return bytes
    }

    /// The zeros that fill the last block of `size` bytes.
    package static func padding(_ size: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((512 - size % 512) % 512))
    }
}

// SPDX-License-Identifier: Apache-2.0

/// One 512-byte header block (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar's tar.h).
struct TarBlock {
    static let size = 512

    let bytes: [UInt8]

    enum Format { case v7, ustar, gnu }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isZero: Bool { bytes.allSatisfy { $0 == 0 } }

    var typeFlag: UInt8 { bytes[156] }

    var format: Format {
        if bytes[257..<265].elementsEqual(Array("ustar  \0".utf8)) { return .gnu }
        return bytes[257..<262].elementsEqual(Array("ustar".utf8)) ? .ustar : .v7
    }

    /// The checksum counts its own field as spaces; old programs summed signed bytes.
    func verifyChecksum() throws(ArchiveError) {
        let recorded = try number(148, 8)
        var unsigned: Int64 = 0
        var signed: Int64 = 0
        for (index, byte) in bytes.enumerated() {
            let value = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            unsigned += Int64(value)
            signed += Int64(Int8(bitPattern: value))
        }
        guard recorded == unsigned || recorded == signed else { throw ArchiveError("invalid tar header: bad checksum") }
    }

    /// A text field up to its first NUL.
    func text(_ offset: Int, _ length: Int) -> [UInt8] {
        Array(bytes[offset..<(offset + length)].prefix { $0 != 0 })
    }

    /// The path, joined from prefix and name where the format has a prefix.
    var path: [UInt8] {
        let name = text(0, 100)
        guard format == .ustar else { return name }
        let prefix = text(345, 155)
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    /// A number in octal text, or in base 256 if the first bit is set (GNU).
    func number(_ offset: Int, _ length: Int) throws(ArchiveError) -> Int64 {
        let field = bytes[offset..<(offset + length)]
        if let first = field.first, first & 0x80 != 0 { return try Self.base256(field) }
        return try Self.octal(field)
    }

    private static func octal(_ field: ArraySlice<UInt8>) throws(ArchiveError) -> Int64 {
        let isPadding = { (byte: UInt8) in byte == 0 || byte == UInt8(ascii: " ") }
        let trimmed = field.drop(while: isPadding)
        let digits = trimmed.prefix { !isPadding($0) }
        guard trimmed.dropFirst(digits.count).allSatisfy(isPadding) else { throw invalidNumber }
        var value: Int64 = 0
        for digit in digits {
            guard (48...55).contains(digit), value <= Int64.max >> 3 else { throw invalidNumber }
            value = value << 3 | Int64(digit - 48)
        }
        return value
    }

    /// Two's complement, big-endian, without the marker bit.
    private static func base256(_ field: ArraySlice<UInt8>) throws(ArchiveError) -> Int64 {
        var bytes = Array(field)
        let isNegative = bytes[0] & 0x40 != 0
        bytes[0] = isNegative ? bytes[0] | 0x80 : bytes[0] & 0x7f
        let filler: UInt8 = isNegative ? 0xff : 0
        let extra = max(0, bytes.count - 8)
        guard bytes[..<extra].allSatisfy({ $0 == filler }) else { throw invalidNumber }
        var value: UInt64 = isNegative ? .max : 0
        for byte in bytes[extra...] { value = value << 8 | UInt64(byte) }
        guard (Int64(bitPattern: value) < 0) == isNegative else { throw invalidNumber }
        return Int64(bitPattern: value)
    }

    private static let invalidNumber = ArchiveError("invalid tar header: bad number")
}

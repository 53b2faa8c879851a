// SPDX-License-Identifier: Apache-2.0
import Archive
import Tar
import Testing

/// `printf hello | gzip -n`
private let gzipHello: [UInt8] = [
    0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0, 0x86, 0xa6, 0x10, 0x36, 0x05, 0, 0,
    0,
]
/// `printf hello | zstd`, without checksum
private let zstdHello: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 0x29, 0, 0] + Array("hello".utf8)
/// `printf hello | bzip2`
private let bzip2Hello: [UInt8] = [
    0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x19, 0x31, 0x65, 0x3d, 0, 0, 0, 0x81, 0, 0x02, 0x44,
    0xa0, 0, 0x21, 0x9a, 0x68, 0x33, 0x4d, 0x07, 0x33, 0x8b, 0xb9, 0x22, 0x9c, 0x28, 0x48, 0x0c, 0x98, 0xb2, 0x9e,
    0x80,
]
/// `printf hello | xz`
private let xzHello: [UInt8] = [
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0, 0x21, 0x01, 0x16, 0, 0, 0, 0x74, 0x2f,
    0xe5, 0xa3, 0x01, 0, 0x04, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0, 0, 0, 0, 0xb1, 0x37, 0xb9, 0xdb, 0xe5, 0xda, 0x1e,
    0x9b, 0, 0x01, 0x1d, 0x05, 0xb8, 0x2d, 0x80, 0xaf, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0, 0, 0, 0, 0x04, 0x59, 0x5a,
]

private func read(_ bytes: [UInt8], step: Int = 3) throws -> String {
    try text(of: try decompressed(MemorySource(bytes)), step)
}

private func readArchive(_ bytes: [UInt8], step: Int = 3) throws -> String {
    try text(of: try decompressedArchive(MemorySource(bytes)), step)
}

private func text(of source: any ByteSource, _ step: Int) throws -> String {
    var result: [UInt8] = []
    while true {
        let piece = try source.read(upTo: step)
        if piece.isEmpty { return String(decoding: result, as: UTF8.self) }
        result += piece
    }
}

@Suite("Decompression")
struct DecompressionTests {
    @Test(
        "reads what it recognises, in one or more members",
        arguments: [
            (Array("hello".utf8), "hello"), ([], ""), ([0x1f], "\u{1f}"), (gzipHello, "hello"),
            (gzipHello + gzipHello, "hellohello"), (zstdHello, "hello"), (zstdHello + zstdHello, "hellohello"),
            ([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9] + zstdHello, "hello"),
        ])
    func reads(_ bytes: [UInt8], _ expected: String) throws {
        #expect(try read(bytes, step: 1) == expected)
        #expect(try read(bytes, step: 100) == expected)
    }

    @Test("refuses compressed data that is cut anywhere", arguments: [gzipHello, zstdHello])
    func truncated(_ bytes: [UInt8]) {
        for length in 4..<bytes.count { #expect(throws: ArchiveError.self) { try read(Array(bytes[..<length])) } }
    }

    @Test(
        "refuses what follows the compressed data",
        arguments: [gzipHello + [1, 2, 3], gzipHello + [0], zstdHello + [1, 2, 3, 4]])
    func trailing(_ bytes: [UInt8]) {
        #expect(throws: ArchiveError.self) { try read(bytes) }
    }

    @Test("refuses a wrong checksum and broken data")
    func corrupt() {
        for index in [10, 17, 20] {
            var bytes = gzipHello
            bytes[index] ^= 0x10
            #expect(throws: ArchiveError.self) { try read(bytes) }
        }
    }

    @Test("refuses a zstd window of 2 GiB")
    func window() {
        #expect(throws: ArchiveError.self) {
            try read([0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 0x29, 0, 0] + Array("hello".utf8))
        }
    }
}

@Suite("Decompression of archives")
struct ArchiveDecompressionTests {
    private func message(_ bytes: [UInt8]) -> String {
        do { return "no error, but " + (try readArchive(bytes)) } catch { return "\(error)" }
    }

    @Test(
        "reads all that layers may have, and bzip2 and xz, in one or more streams",
        arguments: [
            (Array("hello".utf8), "hello"), ([], ""), (gzipHello, "hello"), (zstdHello, "hello"),
            (bzip2Hello, "hello"), (bzip2Hello + bzip2Hello, "hellohello"), (xzHello, "hello"),
            (xzHello + [0, 0, 0, 0] + xzHello, "hellohello"), (Array("BZ".utf8), "BZ"),
        ])
    func reads(_ bytes: [UInt8], _ expected: String) throws {
        #expect(try readArchive(bytes, step: 1) == expected)
        #expect(try readArchive(bytes, step: 100) == expected)
    }

    @Test("layers are not taken for them", arguments: [bzip2Hello, xzHello])
    func layers(_ bytes: [UInt8]) throws { #expect(try read(bytes, step: 100) != "hello") }

    @Test("refuses compressed data that is cut anywhere", arguments: [(bzip2Hello, 3), (xzHello, 6)])
    func truncated(_ bytes: [UInt8], _ magic: Int) {
        for length in magic..<bytes.count {
            #expect(message(Array(bytes[..<length])).contains("unexpected end of data"), "\(length)")
        }
    }

    @Test(
        "refuses what follows the compressed data",
        arguments: [
            bzip2Hello + [1, 2, 3], bzip2Hello + [0], bzip2Hello + Array("BZ".utf8), xzHello + [1, 2, 3, 4],
            xzHello + [0, 0],
        ])
    func trailing(_ bytes: [UInt8]) { #expect(throws: ArchiveError.self) { try readArchive(bytes) } }

    @Test("refuses any flipped bit that matters", arguments: [bzip2Hello, xzHello])
    func corrupt(_ bytes: [UInt8]) {
        for index in 8..<bytes.count - 8 {
            var bytes = bytes
            bytes[index] ^= 0x10
            #expect(message(bytes) == "no error, but hello" || message(bytes).contains(": "), "\(index)")
        }
        var wrong = bytes
        wrong[14] ^= 1
        #expect(throws: ArchiveError.self) { try readArchive(wrong) }
    }

    @Test("says how much memory is too much")
    func memory() {
        // The header of a block that wants a dictionary of 1.5 GiB (.xz file format, 5.3.1), with its checksum.
        let header: [UInt8] = [0x02, 0x00, 0x21, 0x01, 37, 0, 0, 0]
        let bytes = Array(xzHello[..<12]) + header + crc32(header)
        #expect(message(bytes).contains("needs more than 128 MiB of memory"))
    }

    /// CRC-32 of RFC 1952, little-endian.
    private func crc32(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        crc = ~crc
        return [UInt8(crc & 0xff), UInt8(crc >> 8 & 0xff), UInt8(crc >> 16 & 0xff), UInt8(crc >> 24)]
    }
}

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

private func read(_ bytes: [UInt8], step: Int = 3) throws -> String {
    let source = try decompressed(MemorySource(bytes))
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

// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RegistryServer

@Suite("Byte ranges")
struct ByteRangesTests {
    @Test(
        "reads what a chunk covers",
        arguments: [("0-0", 0, 1), ("0-9", 0, 10), ("10-1023", 10, 1014), ("007-8", 7, 2)] as [(String, Int64, Int64)])
    func chunk(_ text: String, _ first: Int64, _ count: Int64) throws {
        let range = try #require(ChunkRange(text))
        #expect(range.first == first)
        #expect(range.count == count)
    }

    @Test(
        "refuses what is no chunk",
        arguments: [
            "", "-", "0", "0-", "-9", "9-0", "a-b", "0-1-2", "+0-1", "0 -1", "bytes 0-9/10", "bytes=0-9",
            "0-9223372036854775807", "0-99999999999999999999",
        ])
    func noChunk(_ text: String) { #expect(ChunkRange(text) == nil) }

    @Test(
        "finds the part of a blob",
        arguments: [
            ("bytes=0-9", .part(first: 0, count: 10)), ("bytes=90-", .part(first: 90, count: 10)),
            ("bytes=90-1000", .part(first: 90, count: 10)), ("bytes=-10", .part(first: 90, count: 10)),
            ("bytes=-1000", .part(first: 0, count: 100)), ("bytes=99-99", .part(first: 99, count: 1)),
            ("bytes=100-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=9-0", .whole),
            ("bytes=0-1,3-4", .whole), ("items=0-1", .whole), ("bytes=", .whole), ("bytes=-", .whole),
            ("bytes=a-b", .whole), ("bytes=0-9223372036854775807", .part(first: 0, count: 100)),
        ] as [(String, BlobRange)])
    func part(_ header: String, _ expected: BlobRange) { #expect(BlobRange(header, size: 100) == expected) }

    @Test("has no part of nothing")
    func empty() {
        #expect(BlobRange(nil, size: 0) == .whole)
        #expect(BlobRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(BlobRange("bytes=-5", size: 0) == .unsatisfiable)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Tar
import Testing

@Suite("Tar writer")
struct TarWriterTests {
    static let entries: [TarEntry] = [
        make("short"),
        make(String(repeating: "n", count: 100)),
        make(String(repeating: "d", count: 150) + "/" + String(repeating: "n", count: 99)),
        make(String(repeating: "component/", count: 200) + "x"),
        make("directory/", .directory) { $0.mode = 0o1777 },
        make("bytes") { $0.path = [0xff, 0x2f, 0x80] },
        make("link", .symbolicLink) { $0.linkTarget = Array("../target".utf8) },
        make("link", .symbolicLink) { $0.linkTarget = Array(String(repeating: "t/", count: 300).utf8) },
        make("hard", .hardLink) { $0.linkTarget = Array("short".utf8) },
        make("pipe", .fifo),
        make("device", .characterDevice) { ($0.deviceMajor, $0.deviceMinor) = (0xfff, 0xfffff) },
        make("disk", .blockDevice) { ($0.deviceMajor, $0.deviceMinor) = (254, 0) },
        make("owner") { ($0.uid, $0.gid) = (2_097_152, UInt32.max - 1) },
        make("owner") { ($0.uid, $0.gid) = (2_097_151, 65534) },
        make("fraction") { $0.modified = .init(seconds: 1_700_000_000, nanoseconds: 123_456_789) },
        make("fraction") { $0.modified = .init(seconds: 1, nanoseconds: 1) },
        make("before 1970") { $0.modified = .init(seconds: -1, nanoseconds: 250_000_000) },
        make("before 1970") { $0.modified = .init(seconds: -62_135_596_800) },
        make("far") { $0.modified = .init(seconds: 1 << 33, nanoseconds: 5) },
        make("attributes") {
            $0.extendedAttributes = [
                .init(name: Array("security.capability".utf8), value: [1, 0, 0, 2, 0, 10, 61, 0]),
                .init(name: Array("user.empty".utf8), value: []),
                .init(name: Array("user.long".utf8), value: [UInt8](repeating: 7, count: 5000)),
            ]
        },
    ]

    static func make(
        _ path: String, _ kind: TarEntry.Kind = .regular, _ edit: (inout TarEntry) -> Void = { _ in }
    ) -> TarEntry {
        var entry = TarEntry(kind: kind, path: Array(path.utf8))
        entry.mode = 0o755
        edit(&entry)
        return entry
    }

    @Test("what is written is read again", arguments: entries)
    func roundTrip(_ entry: TarEntry) throws {
        let bytes = TarWriter.header(entry)
        #expect(bytes.count % TarWriter.blockSize == 0)
        let reader = TarReader(MemorySource(bytes + TarWriter.end))
        #expect(try reader.next() == entry)
        #expect(try reader.next() == nil)
    }

    @Test("a file of 8 GiB or more has its size in a record", arguments: [(1 << 33) - 1, 1 << 33, 1 << 43] as [Int64])
    func largeSize(_ size: Int64) throws {
        var entry = Self.make("big")
        entry.size = size
        let reader = TarReader(MemorySource(TarWriter.header(entry)))
        #expect(try reader.next()?.size == size)
    }

    @Test("data and padding between two entries")
    func data() throws {
        var entry = Self.make("file")
        entry.size = 5
        var archive = TarWriter.header(entry) + Array("hello".utf8) + TarWriter.padding(5)
        archive += TarWriter.header(Self.make("next")) + TarWriter.end
        var rest = archive[...]
        let reader = TarReader(
            PieceSource {
                defer { rest = rest.dropFirst(700) }
                return rest.isEmpty ? nil : Array(rest.prefix(700))
            })
        #expect(try reader.next() == entry)
        #expect(try reader.readAllData(limit: 10) == Array("hello".utf8))
        #expect(try reader.next()?.path == Array("next".utf8))
        #expect(try reader.next() == nil)
    }

    @Test("a damaged header is refused", arguments: [0, 99, 124, 148, 500])
    func damaged(_ position: Int) {
        var bytes = TarWriter.header(Self.make("file"))
        bytes[position] ^= 1
        #expect(throws: ArchiveError.self) { _ = try TarReader(MemorySource(bytes)).next() }
    }
}

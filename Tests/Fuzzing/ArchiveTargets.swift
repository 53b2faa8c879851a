// SPDX-License-Identifier: Apache-2.0
import Archive
import LinuxSystem

@testable import Tar

/// What registries and `docker load`, `import` and `cp` bring.
let archiveTargets = [
    FuzzTarget("tar") { input in
        let bytes = checksummed(input)
        // Where the stream is cut must not matter.
        var pieces = bytes.pieces[...]
        let whole = accepted { try readArchive(MemorySource(bytes), limit: Int64(bytes.count)) }
        let cut = accepted {
            try readArchive(PieceSource { pieces.popFirst().map { Array($0) } }, limit: Int64(bytes.count))
        }
        expect(whole == cut, "an archive is the same in pieces")
        for file in whole ?? [] where file.entry.dataRanges == nil { checkWriting(file.entry, file.data) }
    },
    FuzzTarget("layer") { bytes in
        // Everything below this directory; scripts/fuzz runs without privileges, should anything lead outside.
        LayerScratch.shared?.withRoot { root in
            let options = LayerOptions(preservesOwnership: false, maximumBytes: 1 << 20)
            try LayerApplier(directory: root, options: options).apply(MemorySource(checksummed(bytes)))
        }
    },
    FuzzTarget("decompress") { bytes in
        _ = accepted {
            let source = try decompressed(MemorySource(bytes))
            var left = 16 << 20
            while left > 0 {
                let got = try source.read(upTo: 1 << 16).count
                if got == 0 { break }
                left -= got
            }
        }
        for compression in [Compression.gzip, .zstd] {
            let collected = CollectingSink()
            let back = accepted {
                let sink = try compressing(compression, into: collected)
                try bytes.withUnsafeBytes { try sink.write($0) }
                try sink.finish()
                var result: [UInt8] = []
                let source = try decompressed(MemorySource(collected.bytes))
                while true {
                    let part = try source.read(upTo: 4096)
                    if part.isEmpty { return result }
                    result += part
                }
            }
            expect(back == bytes, "what \(compression) packs it unpacks")
        }
    },
]

/// The input with the checksum of each header block made right: or else hardly any change would get past it.
private func checksummed(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for start in stride(from: 0, through: bytes.count - TarWriter.blockSize, by: TarWriter.blockSize)
    where bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) {
        result.replaceSubrange(start + 148..<start + 156, with: [UInt8](repeating: UInt8(ascii: " "), count: 8))
        let sum = result[start..<start + TarWriter.blockSize].reduce(0) { $0 + Int($1) }
        let digits = Array(String(sum + 0o1000000, radix: 8).utf8.dropFirst())  // six of them
        result.replaceSubrange(start + 148..<start + 154, with: digits)
        result[start + 154] = 0
    }
    return result
}

private final class CollectingSink: ByteSink {
    var bytes: [UInt8] = []
    func write(_ more: UnsafeRawBufferPointer) throws { bytes += more }
    func finish() throws {}
}

/// Reads all of an archive and checks what every unpacker relies on.
private func readArchive(_ source: any ByteSource, limit: Int64) throws -> [ArchivedFile] {
    let reader = TarReader(source)
    var files: [ArchivedFile] = []
    while let entry = try reader.next() {
        let path = accepted { try EntryPath(entry.path) }
        for name in path?.components ?? [] {
            let isPlain = !name.isEmpty && !name.contains(0) && !name.contains(UInt8(ascii: "/"))
            expect(isPlain && name != [46] && name != [46, 46], "components of a path are plain names")
        }
        expect(entry.size >= 0 && entry.mode <= 0o7777, "sizes and modes are in range")
        expect((0..<1_000_000_000).contains(entry.modified.nanoseconds), "nanoseconds are less than a second")
        var data: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try reader.readData(into: buffer)
            if count == 0 { break }
            data += buffer.prefix(count)
            expect(reader.position <= limit, "no more is read than there is")
        }
        if let ranges = entry.dataRanges {
            var end: Int64 = 0
            for range in ranges {
                expect(range.lowerBound >= end && range.upperBound <= entry.size, "holes are in order and inside")
                end = range.upperBound
            }
            expect(SparseMap.dataSize(ranges) == Int64(data.count), "ranges and data have the same size")
        } else if entry.kind == .regular {
            expect(Int64(data.count) == entry.size, "a file has as many bytes as it says")
        } else {
            expect(data.isEmpty, "only files have data")
        }
        files.append(ArchivedFile(entry: entry, data: data))
    }
    return files
}

private struct ArchivedFile: Equatable {
    var entry: TarEntry
    var data: [UInt8]
}

/// What the reader understood, the writer writes so that the reader understands the same.
private func checkWriting(_ entry: TarEntry, _ data: [UInt8]) {
    var expected = entry
    if expected.kind == .directory, expected.path.last != UInt8(ascii: "/") { expected.path.append(UInt8(ascii: "/")) }
    expected.extendedAttributes = entry.extendedAttributes.filter { !$0.name.contains(UInt8(ascii: "=")) }
        .sorted { $0.name.lexicographicallyPrecedes($1.name) }
    let archive = TarWriter.header(entry) + data + TarWriter.padding(Int64(data.count)) + TarWriter.end
    let read = accepted { try readArchive(MemorySource(archive), limit: Int64(archive.count)) }
    expect(read == [ArchivedFile(entry: expected, data: data)], "an entry that is written is read again: \(entry)")
}

/// A directory that layers are unpacked into, made anew for each.
private struct LayerScratch {
    let root: FilePath

    static let shared = Environment.value("SWRUN_FUZZ_SCRATCH").map { LayerScratch(root: FilePath($0) / "root") }

    func withRoot(_ body: (FilePath) throws -> Void) {
        do throws(SysError) {
            try makeDirectory(root)
            _ = accepted { try body(root) }
            try removeTree(root)
        } catch {
            fatalError("broken promise: what was unpacked can be removed: \(error.description)")
        }
    }
}

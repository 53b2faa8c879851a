// SPDX-License-Identifier: Apache-2.0

/// How a layer is compressed.
package enum Compression: Sendable, Equatable {
    case none
    case gzip
    case zstd

    /// Told from the first bytes; a media type is only a claim.
    package init(magic bytes: [UInt8]) {
        if bytes.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) || Self.isSkippableFrame(bytes) {
            self = .zstd
        } else {
            self = .none
        }
    }

    /// A frame that zstd readers skip (RFC 8878 §3.1.2): magic 0x184D2A50 to 0x184D2A5F, little-endian.
    private static func isSkippableFrame(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 4 && bytes[0] & 0xf0 == 0x50 && bytes[1...3].elementsEqual([0x2a, 0x4d, 0x18])
    }
}

/// The uncompressed stream of `source`, whatever its compression.
package func decompressed(_ source: any ByteSource) throws -> any ByteSource {
    let input = InputBuffer(source)
    switch Compression(magic: try input.peek(4)) {
    case .none: return input
    case .gzip: return GzipSource(input)
    case .zstd: return try ZstdSource(input)
    }
}

/// A window onto a source that can be looked at before it is consumed.
final class InputBuffer: ByteSource {
    private let source: any ByteSource
    private let storage: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    init(_ source: any ByteSource, capacity: Int = 1 << 17) {
        self.source = source
        storage = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { storage.deallocate() }

    /// What is buffered; empty only at the end of the source. Valid until the next call.
    func window() throws -> UnsafeMutableRawBufferPointer {
        if start == end {
            start = 0
            end = try source.read(into: storage)
        }
        return UnsafeMutableRawBufferPointer(rebasing: storage[start..<end])
    }

    func consume(_ count: Int) { start += count }

    /// The next `count` bytes without consuming them; fewer at the end.
    func peek(_ count: Int) throws -> [UInt8] {
        if end - start < count, start > 0 {
            storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[start..<end]))
            (start, end) = (0, end - start)
        }
        while end - start < count {
            let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: storage[end...]))
            if got == 0 { break }
            end += got
        }
        return Array(storage[start..<min(end, start + count)])
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if start == end, buffer.count >= storage.count { return try source.read(into: buffer) }
        let window = try window()
        let count = min(window.count, buffer.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[..<count]))
        consume(count)
        return count
    }
}

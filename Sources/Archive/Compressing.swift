// SPDX-License-Identifier: Apache-2.0
import CISAL
import CZstd
import Tar

/// A sink that compresses what it gets, on its way to `sink`.
package func compressing(_ compression: Compression, into sink: any ByteSink) throws -> any ByteSink {
    switch compression {
    case .none: sink
    case .gzip: GzipSink(sink)
    case .zstd: try ZstdSink(sink)
    }
}

private let outputSize = 1 << 17

/// Deflates into one gzip member (RFC 1952) with ISA-L, without name and time: the same bytes give the same bytes.
private final class GzipSink: ByteSink {
    /// ISA-L's level 1: three times as fast as zlib's 1 at about its ratio. It wants working memory; this is more than
    /// ISAL_DEF_LVL1_EXTRA_LARGE.
    private static let level: UInt32 = 1
    private static let workingMemory = 1 << 20

    private let sink: any ByteSink
    private let stream: UnsafeMutablePointer<isal_zstream>
    private let memory: UnsafeMutablePointer<UInt8>
    private let output = UnsafeMutablePointer<UInt8>.allocate(capacity: outputSize)

    init(_ sink: any ByteSink) {
        self.sink = sink
        stream = .allocate(capacity: 1)
        memory = .allocate(capacity: Self.workingMemory)
        isal_deflate_init(stream)
        stream.pointee.level = Self.level
        stream.pointee.level_buf = memory
        stream.pointee.level_buf_size = UInt32(Self.workingMemory)
        stream.pointee.gzip_flag = UInt16(IGZIP_GZIP)
    }

    deinit {
        stream.deallocate()
        memory.deallocate()
        output.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            try deflate(part)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
        }
    }

    func finish() throws {
        stream.pointee.end_of_stream = 1
        try deflate(UnsafeRawBufferPointer(start: nil, count: 0))
        try sink.finish()
    }

    private func deflate(_ bytes: UnsafeRawBufferPointer) throws {
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(bytes.count)
        repeat {
            stream.pointee.next_out = output
            stream.pointee.avail_out = UInt32(outputSize)
            let code = isal_deflate(stream)
            guard code == COMP_OK else { throw ArchiveError("gzip: compression failed (\(code))") }
            let count = outputSize - Int(stream.pointee.avail_out)
            if count > 0 { try sink.write(UnsafeRawBufferPointer(start: output, count: count)) }
        } while stream.pointee.avail_out == 0 || stream.pointee.avail_in > 0
    }
}

/// Compresses into one zstd frame (RFC 8878) with its checksum.
private final class ZstdSink: ByteSink {
    private let sink: any ByteSink
    private let stream: OpaquePointer
    private let output = UnsafeMutableRawPointer.allocate(byteCount: outputSize, alignment: 16)

    init(_ sink: any ByteSink) throws {
        guard let stream = ZSTD_createCCtx() else { throw ArchiveError("zstd: out of memory") }
        self.sink = sink
        self.stream = stream
        ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, 3)
        ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCCtx(stream)
        output.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try compress(bytes, ZSTD_e_continue)
    }

    func finish() throws {
        try compress(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end)
        try sink.finish()
    }

    private func compress(_ bytes: UnsafeRawBufferPointer, _ end: ZSTD_EndDirective) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var left = 1
        repeat {
            var buffer = ZSTD_outBuffer(dst: output, size: outputSize, pos: 0)
            left = ZSTD_compressStream2(stream, &buffer, &input, end)
            guard ZSTD_isError(left) == 0 else {
                throw ArchiveError("zstd: " + String(cString: ZSTD_getErrorName(left)))
            }
            if buffer.pos > 0 { try sink.write(UnsafeRawBufferPointer(start: output, count: buffer.pos)) }
        } while input.pos < input.size || (end == ZSTD_e_end && left > 0)
    }
}

// SPDX-License-Identifier: Apache-2.0
import CZstd
import Tar

/// Decompresses zstd (RFC 8878): any number of frames, skippable ones skipped, windows of at most 128 MiB.
final class ZstdSource: ByteSource {
    private let input: InputBuffer
    private let stream: OpaquePointer
    private var isInsideFrame = false

    init(_ input: InputBuffer) throws {
        guard let stream = ZSTD_createDStream() else { throw ArchiveError("zstd: out of memory") }
        self.input = input
        self.stream = stream
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 27)
    }

    deinit { ZSTD_freeDStream(stream) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while output.pos == 0 {
            let window = try input.window()
            if window.isEmpty, !isInsideFrame { return 0 }
            var source = ZSTD_inBuffer(src: window.baseAddress, size: window.count, pos: 0)
            let hint = ZSTD_decompressStream(stream, &output, &source)
            guard ZSTD_isError(hint) == 0 else {
                throw ArchiveError("zstd: " + String(cString: ZSTD_getErrorName(hint)))
            }
            input.consume(source.pos)
            isInsideFrame = hint != 0
            if window.isEmpty, output.pos == 0 { throw ArchiveError("zstd: unexpected end of data") }
        }
        return output.pos
    }
}

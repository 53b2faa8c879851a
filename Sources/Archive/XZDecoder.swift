// SPDX-License-Identifier: Apache-2.0
import CLZMA
import Tar

/// Decompresses xz with liblzma: any number of streams with padding between them, each with its check verified.
final class XZDecoder: StreamDecoder {
    /// `xz -9` needs 65 MiB; what needs more than this would let an archive take all of the memory.
    private static let memoryLimit: UInt64 = 128 << 20

    private let stream: UnsafeMutablePointer<lzma_stream>
    private var isFinished = false

    init() throws(ArchiveError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: lzma_stream())
        let code = lzma_stream_decoder(stream, Self.memoryLimit, swrun_lzma_flags)
        guard code == LZMA_OK else { throw Self.failure(code) }
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    func decode(
        _ input: UnsafeRawBufferPointer, isLast: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) -> (read: Int, written: Int) {
        if isFinished { return (0, 0) }
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = input.count
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = output.count
        let code = lzma_code(stream, isLast ? LZMA_FINISH : LZMA_RUN)
        let step = (read: input.count - stream.pointee.avail_in, written: output.count - stream.pointee.avail_out)
        switch code {
        // The library says BUF_ERROR only when nothing happens for the second time.
        case LZMA_OK where isLast && step == (0, 0): throw Self.failure(LZMA_BUF_ERROR)
        case LZMA_OK: break
        case LZMA_STREAM_END: isFinished = true
        case LZMA_BUF_ERROR where !isLast: break  // only says that there was nothing to do
        default: throw Self.failure(code)
        }
        return step
    }

    private static func failure(_ code: lzma_ret) -> ArchiveError {
        switch code {
        case LZMA_BUF_ERROR: ArchiveError("xz: unexpected end of data")
        case LZMA_MEMLIMIT_ERROR:
            ArchiveError("xz: decompression needs more than 128 MiB of memory: compress with a smaller dictionary")
        case LZMA_MEM_ERROR: ArchiveError("xz: out of memory")
        case LZMA_FORMAT_ERROR: ArchiveError("xz: invalid header")
        case LZMA_OPTIONS_ERROR, LZMA_UNSUPPORTED_CHECK: ArchiveError("xz: unsupported options")
        case LZMA_DATA_ERROR: ArchiveError("xz: damaged data")
        default: ArchiveError("xz: invalid compressed data (\(code.rawValue))")
        }
    }
}

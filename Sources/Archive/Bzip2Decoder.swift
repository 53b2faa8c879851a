// SPDX-License-Identifier: Apache-2.0
import CBzip2
import Tar

/// Decompresses bzip2 with libbz2: any number of streams one after the other, in 4 MB at the most. What follows the last
/// one and is none is an error.
final class Bzip2Decoder: StreamDecoder {
    /// At one place for its whole life: the library compares addresses.
    private let stream: UnsafeMutablePointer<bz_stream>
    private var isInsideStream = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: bz_stream())
    }

    deinit {
        if isInsideStream { BZ2_bzDecompressEnd(stream) }
        stream.deallocate()
    }

    func decode(
        _ input: UnsafeRawBufferPointer, isLast: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) -> (read: Int, written: Int) {
        if !isInsideStream {
            if input.isEmpty { return (0, 0) }
            try start()
        }
        let (offered, room) = (UInt32(clamping: input.count), UInt32(clamping: output.count))
        let source = input.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: source)
        stream.pointee.avail_in = offered
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = room
        let code = BZ2_bzDecompress(stream)
        guard code == BZ_OK || code == BZ_STREAM_END else { throw Self.failure(code) }
        let step = (read: Int(offered - stream.pointee.avail_in), written: Int(room - stream.pointee.avail_out))
        if code == BZ_STREAM_END {
            BZ2_bzDecompressEnd(stream)
            isInsideStream = false
        } else if isLast, step.written == 0, step.read == input.count {
            throw ArchiveError("bzip2: unexpected end of data")
        }
        return step
    }

    private func start() throws(ArchiveError) {
        stream.pointee = bz_stream()
        guard BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else { throw Self.failure(BZ_MEM_ERROR) }
        isInsideStream = true
    }

    private static func failure(_ code: Int32) -> ArchiveError {
        switch code {
        case BZ_DATA_ERROR_MAGIC: ArchiveError("bzip2: invalid header")
        case BZ_DATA_ERROR: ArchiveError("bzip2: damaged data")
        case BZ_MEM_ERROR: ArchiveError("bzip2: out of memory")
        default: ArchiveError("bzip2: invalid compressed data (\(code))")
        }
    }
}

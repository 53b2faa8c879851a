// SPDX-License-Identifier: Apache-2.0
import CISAL
import Tar

/// Inflates gzip (RFC 1952) with ISA-L: any number of members, each with its checksum verified. Bytes behind the last
/// member that are no member are an error, as in Go's reader.
final class GzipSource: ByteSource {
    private let input: InputBuffer
    private let state: UnsafeMutablePointer<inflate_state>
    private var isFinished = false

    init(_ input: InputBuffer) {
        self.input = input
        state = .allocate(capacity: 1)
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
    }

    deinit { state.deallocate() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !isFinished, let base = buffer.baseAddress else { return 0 }
        let room = UInt32(clamping: buffer.count)
        state.pointee.next_out = base.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = room
        while state.pointee.avail_out == room {
            if state.pointee.block_state == ISAL_BLOCK_FINISH {
                guard try startNextMember() else { break }
            } else {
                try inflateSome()
            }
        }
        return Int(room - state.pointee.avail_out)
    }

    private func inflateSome() throws {
        let window = try input.window()
        let offered = UInt32(clamping: window.count)
        let before = state.pointee.avail_out
        state.pointee.next_in = window.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_in = offered
        let code = isal_inflate(state)
        guard code == ISAL_DECOMP_OK else { throw Self.failure(code) }
        input.consume(Int(offered - state.pointee.avail_in))
        let isStuck = state.pointee.avail_out == before && state.pointee.block_state != ISAL_BLOCK_FINISH
        if window.isEmpty, isStuck { throw ArchiveError("gzip: unexpected end of data") }
    }

    private func startNextMember() throws -> Bool {
        let magic = try input.peek(2)
        if magic.isEmpty {
            isFinished = true
            return false
        }
        guard magic == [0x1f, 0x8b] else { throw ArchiveError("gzip: invalid header") }
        isal_inflate_reset(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        return true
    }

    private static func failure(_ code: Int32) -> ArchiveError {
        switch code {
        case ISAL_INCORRECT_CHECKSUM: ArchiveError("gzip: invalid checksum")
        case ISAL_UNSUPPORTED_METHOD, ISAL_INVALID_WRAPPER: ArchiveError("gzip: invalid header")
        default: ArchiveError("gzip: invalid compressed data (\(code))")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Splits the multiplexed stream of a container without a terminal: each frame is `[stream, 0, 0, 0, length as 32 bits
/// big-endian]` and as many bytes. Payloads are passed on as they arrive, without waiting for whole frames.
package struct FrameDecoder: Sendable {
    package struct Piece: Sendable, Equatable {
        /// 1 is standard output, 2 standard error.
        package var stream: UInt8
        package var bytes: [UInt8]
    }

    /// The stream is not what it should be.
    package struct Malformed: Error, Equatable {
        package var stream: UInt8
    }

    private var header: [UInt8] = []
    private var left = 0
    private var stream: UInt8 = 0

    package init() {}

    package mutating func decode(_ bytes: [UInt8]) throws(Malformed) -> [Piece] {
        var pieces: [Piece] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            if left == 0 {
                let wanted = rest.prefix(8 - header.count)
                header += wanted
                rest = rest.dropFirst(wanted.count)
                if header.count < 8 { break }
                try openFrame()
                continue
            }
            let payload = rest.prefix(left)
            rest = rest.dropFirst(payload.count)
            left -= payload.count
            pieces.append(Piece(stream: stream, bytes: Array(payload)))
        }
        return pieces
    }

    private mutating func openFrame() throws(Malformed) {
        stream = header[0]
        guard stream <= 3, header[1] == 0, header[2] == 0, header[3] == 0 else { throw Malformed(stream: stream) }
        left = header[4...].reduce(0) { $0 << 8 | Int($1) }
        header = []
    }
}

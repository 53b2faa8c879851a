// SPDX-License-Identifier: Apache-2.0

/// docker's framing of attach and log streams without a terminal: `[stream, 0, 0, 0, length (32 bit, big endian)]` and
/// then that many bytes.
package enum StreamFrame {
    package enum Stream: UInt8, Sendable {
        case stdin = 0
        case stdout = 1
        case stderr = 2
        /// An error of the daemon while the stream goes on.
        case system = 3
    }

    package static let headerSize = 8

    /// The frame of one piece of output.
    package static func encode(_ stream: Stream, _ payload: some Collection<UInt8>) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(headerSize + payload.count)
        frame += [stream.rawValue, 0, 0, 0]
        for shift in [24, 16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        frame.append(contentsOf: payload)
        return frame
    }

    /// Stream and payload length of a header; nil if the bytes are no header.
    package static func header(_ bytes: some Collection<UInt8>) -> (stream: Stream, length: Int)? {
        let header = Array(bytes.prefix(headerSize))
        guard header.count == headerSize, let stream = Stream(rawValue: header[0]), header[1] == 0, header[2] == 0,
            header[3] == 0
        else { return nil }
        return (stream, header[4...].reduce(0) { $0 << 8 | Int($1) })
    }
}

/// Cuts a byte stream into frames again.
package struct StreamFrameDecoder: Sendable {
    private var buffer: [UInt8] = []

    package init() {}

    package mutating func append(_ bytes: some Collection<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next whole frame; nil if more bytes are needed. A malformed header gives `nil` for ever and `isBroken`.
    package mutating func next() -> (stream: StreamFrame.Stream, payload: [UInt8])? {
        guard let (stream, length) = StreamFrame.header(buffer), buffer.count >= StreamFrame.headerSize + length else {
            return nil
        }
        let payload = Array(buffer[StreamFrame.headerSize..<StreamFrame.headerSize + length])
        buffer.removeFirst(StreamFrame.headerSize + length)
        return (stream, payload)
    }

    package var isBroken: Bool {
        buffer.count >= StreamFrame.headerSize && StreamFrame.header(buffer) == nil
    }
}

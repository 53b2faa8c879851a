// SPDX-License-Identifier: Apache-2.0

/// Cuts the bytes of a connection into frames, whatever the pieces in which they arrive.
package struct FrameDecoder: Sendable {
    package enum Output: Sendable, Equatable {
        case frame(Frame)
        /// A frame longer than allowed; its payload is skipped. A request is to be answered with resourceExhausted.
        case oversized(streamID: UInt32, length: Int)
    }

    private var buffer: [UInt8] = []
    private var start = 0
    private var toSkip = 0

    package init() {}

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        buffer.append(contentsOf: bytes)
    }

    /// The next whole frame, or nil when more bytes are needed. Frames of an unknown type are skipped, as the protocol
    /// asks for.
    package mutating func next() -> Output? {
        while true {
            skipOversized()
            guard available >= Frame.headerLength else { return suspend() }
            let length = Int(bigEndian(at: 0))
            let streamID = bigEndian(at: 4)
            if length > Frame.maximumPayload {
                start += Frame.headerLength
                toSkip = length
                return .oversized(streamID: streamID, length: length)
            }
            guard available >= Frame.headerLength + length else { return suspend() }
            if let frame = take(streamID: streamID, length: length) { return .frame(frame) }
        }
    }

    private var available: Int { buffer.count - start }

    private func bigEndian(at offset: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 { value = value << 8 | UInt32(buffer[start + offset + index]) }
        return value
    }

    private mutating func take(streamID: UInt32, length: Int) -> Frame? {
        let type = FrameType(rawValue: buffer[start + 8])
        let flags = FrameFlags(rawValue: buffer[start + 9])
        let payloadStart = start + Frame.headerLength
        start = payloadStart + length
        guard let type else { return nil }
        let payload = [UInt8](buffer[payloadStart..<start])
        return Frame(streamID: streamID, type: type, flags: flags, payload: payload)
    }

    private mutating func skipOversized() {
        let skipped = min(toSkip, available)
        start += skipped
        toSkip -= skipped
    }

    /// Gives memory back: an idle connection holds none.
    private mutating func suspend() -> Output? {
        if start == buffer.count {
            buffer = []
        } else if start > 0 {
            buffer.removeFirst(start)
        }
        start = 0
        return nil
    }
}

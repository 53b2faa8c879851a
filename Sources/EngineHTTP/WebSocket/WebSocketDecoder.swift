// SPDX-License-Identifier: Apache-2.0

/// Reads what a web socket's client sends (RFC 6455 §5). A message's payload is handed out as it comes, so its length is
/// no burden; control frames are short by definition.
struct WebSocketDecoder: Sendable {
    enum Event: Sendable, Equatable {
        /// A piece of a message.
        case data([UInt8])
        case ping([UInt8])
        case close
    }

    /// A client that breaks the protocol; the connection ends.
    struct Failure: Error {}

    private struct Frame {
        var opcode: UInt8
        var mask: [UInt8]
        /// Bytes of the payload that are still to come.
        var remaining: UInt64
        var offset = 0
        /// What came of a control frame.
        var control: [UInt8] = []

        var isControl: Bool { opcode & 8 != 0 }
    }

    private var buffer: [UInt8] = []
    private var frame: Frame?

    mutating func append(_ bytes: [UInt8]) { buffer += bytes }

    /// What comes next; nil until there are more bytes.
    mutating func next() throws(Failure) -> Event? {
        while true {
            if frame == nil {
                guard let head = try takeHead() else { return nil }
                frame = head
            }
            guard var current = frame else { return nil }
            let piece = take(&current)
            if current.isControl { current.control += piece }
            frame = current.remaining == 0 ? nil : current
            if current.isControl {
                guard current.remaining == 0 else { return nil }
                switch current.opcode {
                case 8: return .close
                case 9: return .ping(current.control)
                default: continue  // a pong asks for nothing
                }
            }
            if !piece.isEmpty { return .data(piece) }
            if current.remaining > 0 { return nil }
        }
    }

    private mutating func take(_ frame: inout Frame) -> [UInt8] {
        let count = Int(min(UInt64(buffer.count), frame.remaining))
        var piece = Array(buffer.prefix(count))
        buffer.removeFirst(count)
        for index in piece.indices { piece[index] ^= frame.mask[(frame.offset + index) & 3] }
        frame.offset = (frame.offset + count) & 3
        frame.remaining -= UInt64(count)
        return piece
    }

    private mutating func takeHead() throws(Failure) -> Frame? {
        guard buffer.count >= 2 else { return nil }
        let opcode = buffer[0] & 15
        let short = buffer[1] & 127
        // No extension was agreed on, clients must mask, and control frames come whole and short.
        guard buffer[0] & 0x70 == 0, buffer[1] & 128 != 0, [0, 1, 2, 8, 9, 10].contains(opcode),
            opcode < 8 || buffer[0] & 128 != 0 && short < 126
        else { throw Failure() }
        let more = short == 126 ? 2 : short == 127 ? 8 : 0
        guard buffer.count >= 6 + more else { return nil }
        let length =
            more == 0 ? UInt64(short) : buffer[2..<2 + more].reduce(0) { $0 << 8 | UInt64($1) }
        guard length >> 63 == 0 else { throw Failure() }
        let mask = Array(buffer[2 + more..<6 + more])
        buffer.removeFirst(6 + more)
        return Frame(opcode: opcode, mask: mask, remaining: length)
    }

    /// A frame of ours, unmasked and whole.
    static func encode(opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        var head: [UInt8] = [0x80 | opcode]
        switch payload.count {
        case ..<126: head.append(UInt8(payload.count))
        case ..<65536: head += [126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: head += [127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return head + payload
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A message from the kernel: header fields and what follows.
struct NetlinkMessage {
    var type: UInt16
    var flags: UInt16
    var sequence: UInt32
    var payload: ArraySlice<UInt8>

    /// Splits one datagram into its messages; bytes that do not make a whole message end the walk.
    static func split(_ datagram: ArraySlice<UInt8>) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var rest = datagram
        while let length = rest.uint32(at: 0).map(Int.init), length >= 16, length <= rest.count,
            let type = rest.uint16(at: 4), let flags = rest.uint16(at: 6), let sequence = rest.uint32(at: 8)
        {
            let payload = rest[(rest.startIndex + 16)..<(rest.startIndex + length)]
            messages.append(NetlinkMessage(type: type, flags: flags, sequence: sequence, payload: payload))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return messages
    }

    /// For an NLMSG_ERROR: the positive errno (0 is success) and the kernel's own words, if it had any.
    func errorCode() -> (errno: Int32, text: String?)? {
        guard let code = payload.uint32(at: 0).map(Int32.init(bitPattern:)), code != Int32.min else { return nil }
        guard flags & MessageFlags.extendedAck != 0, let echoed = payload.uint32(at: 4).map(Int.init) else {
            return (-code, nil)
        }
        // The echoed request is only its header when the reply is capped (NETLINK_CAP_ACK) or a success.
        let skipped = 4 + (flags & MessageFlags.capped != 0 ? 16 : max(16, (echoed + 3) & ~3))
        let attributes = NetlinkAttributes(payload.dropFirst(skipped))
        return (-code, attributes.first(Number.acknowledgementText)?.cString)
    }
}

/// The attributes of a message, in order. Walking stops at the first one that does not fit.
struct NetlinkAttributes: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> (type: UInt16, value: ArraySlice<UInt8>)? {
        guard let length = rest.uint16(at: 0).map(Int.init), let type = rest.uint16(at: 2), length >= 4,
            length <= rest.count
        else { return nil }
        let value = rest[(rest.startIndex + 4)..<(rest.startIndex + length)]
        rest = rest.dropFirst((length + 3) & ~3)
        return (type & Number.typeMask, value)
    }

    func first(_ type: UInt16) -> ArraySlice<UInt8>? { first { $0.type == type }?.value }
}

extension ArraySlice<UInt8> {
    func uint8(at offset: Int) -> UInt8? { offset < count ? self[startIndex + offset] : nil }

    func uint16(at offset: Int) -> UInt16? {
        guard offset + 2 <= count else { return nil }
        return UInt16(self[startIndex + offset]) | UInt16(self[startIndex + offset + 1]) << 8
    }

    func uint32(at offset: Int) -> UInt32? {
        guard let low = uint16(at: offset), let high = uint16(at: offset + 2) else { return nil }
        return UInt32(low) | UInt32(high) << 16
    }

    /// Text up to the first zero byte.
    var cString: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}

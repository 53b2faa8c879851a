// SPDX-License-Identifier: Apache-2.0

/// What a ttrpc frame carries (the protocol document of ttrpc, "Message Types").
package enum FrameType: UInt8, Sendable {
    case request = 1
    case response = 2
    case data = 3
}

/// The flag bits of a frame; they matter for streams only, a unary call has none.
package struct FrameFlags: OptionSet, Sendable, Equatable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The sender will send no more data on this stream.
    package static let remoteClosed = FrameFlags(rawValue: 1)
    /// The sender will send data on this stream.
    package static let remoteOpen = FrameFlags(rawValue: 2)
    /// The frame has no message: its payload is to be ignored.
    package static let noData = FrameFlags(rawValue: 4)
}

/// One message of a ttrpc connection: a 10 byte header and a payload.
///
///      0        4           8      9       10
///     +--------+-----------+------+-------+----------
///     | length | stream id | type | flags | payload…
///     +--------+-----------+------+-------+----------
///
/// Both numbers are big-endian. Clients use odd stream ids, each one once and in rising order.
package struct Frame: Sendable, Equatable {
    package static let headerLength = 10
    /// The longest payload that either side may send.
    package static let maximumPayload = 4 << 20

    package var streamID: UInt32
    package var type: FrameType
    package var flags: FrameFlags
    package var payload: [UInt8]

    package init(streamID: UInt32, type: FrameType, flags: FrameFlags = [], payload: [UInt8]) {
        self.streamID = streamID
        self.type = type
        self.flags = flags
        self.payload = payload
    }

    /// The frame's bytes, or nil if the payload is longer than a frame may be.
    package func encoded() -> [UInt8]? {
        guard payload.count <= Self.maximumPayload else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerLength + payload.count)
        appendBigEndian(UInt32(payload.count), to: &bytes)
        appendBigEndian(streamID, to: &bytes)
        bytes.append(type.rawValue)
        bytes.append(flags.rawValue)
        bytes.append(contentsOf: payload)
        return bytes
    }
}

private func appendBigEndian(_ value: UInt32, to bytes: inout [UInt8]) {
    var shift: UInt32 = 32
    while shift > 0 {
        shift -= 8
        bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
}

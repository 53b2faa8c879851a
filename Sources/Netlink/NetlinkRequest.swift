// SPDX-License-Identifier: Apache-2.0

/// One netlink message under construction: lengths and padding are the builder's business. Integers are in host order
/// as netlink(7) asks, addresses in network order.
package struct NetlinkRequest: Sendable, Equatable {
    /// The whole message, with the right length after `finish`.
    package private(set) var bytes: [UInt8] = []

    /// The 16 bytes of `struct nlmsghdr`. The port id is 0: the kernel assigns one, so two sockets never clash.
    init(type: UInt16, flags: UInt16) {
        append(UInt32(0))  // nlmsg_len, patched by `finish`
        append(type)
        append(flags | MessageFlags.request)
        append(UInt32(0))  // the sequence, set when it is sent
        append(UInt32(0))
    }

    mutating func append(_ value: UInt8) { bytes.append(value) }

    mutating func append(_ value: UInt16) {
        bytes.append(UInt8(truncatingIfNeeded: value))
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    }

    mutating func append(_ value: UInt32) {
        append(UInt16(truncatingIfNeeded: value))
        append(UInt16(truncatingIfNeeded: value >> 16))
    }

    /// `struct ifinfomsg`. Flags change only where `change` has a bit.
    mutating func appendLinkHeader(
        family: UInt8 = Number.familyAny, index: Int32 = 0, flags: UInt32 = 0, change: UInt32 = 0
    ) {
        append(family)
        append(UInt8(0))
        append(UInt16(0))
        append(UInt32(bitPattern: index))
        append(flags)
        append(change)
    }

    /// An attribute whose value `body` appends, padded to four bytes. The length field has 16 bits; values of ours are
    /// names and numbers, so a longer one is a mistake of the program.
    mutating func attribute(_ type: UInt16, _ body: (inout NetlinkRequest) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(type)
        body(&self)
        let length = bytes.count - start
        precondition(length <= UInt16.max, "netlink attribute \(type) is too long")
        bytes[start] = UInt8(truncatingIfNeeded: length)
        bytes[start + 1] = UInt8(truncatingIfNeeded: length >> 8)
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    mutating func attribute(_ type: UInt16, string: String) {
        attribute(type) { request in
            request.bytes += Array(string.utf8)
            request.bytes.append(0)
        }
    }

    mutating func attribute(_ type: UInt16, bytes value: [UInt8]) { attribute(type) { $0.bytes += value } }
    mutating func attribute(_ type: UInt16, _ value: UInt32) { attribute(type) { $0.append(value) } }

    /// The message with its length and `sequence`, which the reply carries back.
    package func finish(sequence: UInt32) -> [UInt8] {
        var message = bytes
        for index in 0..<4 {
            message[index] = UInt8(truncatingIfNeeded: message.count >> (8 * index))
            message[8 + index] = UInt8(truncatingIfNeeded: sequence >> (8 * UInt32(index)))
        }
        return message
    }
}

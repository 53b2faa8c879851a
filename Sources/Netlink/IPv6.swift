// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An IPv6 address.
package struct IPv6Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// In host order, so that addresses can be counted and compared.
    package var rawValue: UInt128

    package init(rawValue: UInt128) { self.rawValue = rawValue }

    /// Parses what inet_pton(3) takes (RFC 4291, section 2.2); no zone.
    package init?(_ text: some StringProtocol) {
        var buffer = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, String(text), &buffer) == 1 else { return nil }
        rawValue = buffer.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// In network order, as messages carry it.
    package var bytes: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: rawValue >> UInt128(120 - 8 * $0)) } }

    /// The short form of RFC 5952.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static func < (left: IPv6Address, right: IPv6Address) -> Bool { left.rawValue < right.rawValue }
}

/// A range of addresses with a common prefix, or an address together with its network's length (`fd00::7/64`).
package struct IPv6Prefix: Sendable, Hashable, CustomStringConvertible {
    package var address: IPv6Address
    /// 0 to 128.
    package let length: Int

    package init?(_ address: IPv6Address, length: Int) {
        guard (0...128).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// Parses CIDR notation; the host part is kept.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv6Address(parts[0]), let length = Int(parts[1]),
            String(length) == parts[1]
        else { return nil }
        self.init(address, length: length)
    }

    private var mask: UInt128 { length == 0 ? 0 : UInt128.max << UInt128(128 - length) }
    package var first: IPv6Address { IPv6Address(rawValue: address.rawValue & mask) }
    package var last: IPv6Address { IPv6Address(rawValue: address.rawValue | ~mask) }

    /// The network alone: the host part is zero.
    package var network: IPv6Prefix {
        var copy = self
        copy.address = first
        return copy
    }

    package func contains(_ other: IPv6Address) -> Bool { other.rawValue & mask == address.rawValue & mask }

    package func overlaps(_ other: IPv6Prefix) -> Bool { first <= other.last && other.first <= last }

    package var description: String { "\(address)/\(length)" }
}

extension NetlinkOperation {
    /// Without waiting for the kernel to find out whether somebody else has the address: ours are given out once.
    package static func addAddress(_ prefix: IPv6Prefix, linkIndex: Int32) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.newAddress, flags: MessageFlags.createNew)
        for field in [Number.familyIPv6, UInt8(prefix.length), Number.addressNoDetection, Number.scopeUniverse] {
            request.append(field)
        }
        request.append(UInt32(bitPattern: linkIndex))
        request.attribute(AddressAttribute.local, bytes: prefix.address.bytes)
        request.attribute(AddressAttribute.address, bytes: prefix.address.bytes)
        return NetlinkOperation(request: request, name: "add address", subject: prefix.description)
    }

    /// `ip -6 route add default via GATEWAY dev LINK`.
    package static func addDefaultRoute(via gateway: IPv6Address, linkIndex: Int32) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.newRoute, flags: MessageFlags.createNew)
        for field in [
            Number.familyIPv6, 0, 0, 0, Number.tableMain, Number.protocolBoot, Number.scopeUniverse,
            Number.routeUnicast,
        ] {
            request.append(field)
        }
        request.append(UInt32(0))
        request.attribute(RouteAttribute.gateway, bytes: gateway.bytes)
        request.attribute(RouteAttribute.outputInterface, UInt32(bitPattern: linkIndex))
        return NetlinkOperation(request: request, name: "add route", subject: "::/0")
    }
}

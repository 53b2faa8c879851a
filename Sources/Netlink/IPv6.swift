// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An IPv6 address.
package struct IPv6Address: NetworkAddress {
    package var rawValue: UInt128

    package init(rawValue: UInt128) { self.rawValue = rawValue }

    /// fe80::/10 (RFC 4291, section 2.5.6).
    package var isLinkLocal: Bool { rawValue >> 118 == 0x3fa }

    /// ::ffff:0:0/96, an IPv4 address in another dress.
    package var isMappedIPv4: Bool { rawValue >> 32 == 0xffff }

    /// Parses what inet_pton(3) takes (RFC 4291, section 2.2); no zone.
    package init?(_ text: some StringProtocol) {
        var buffer = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, String(text), &buffer) == 1 else { return nil }
        rawValue = buffer.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// The short form of RFC 5952.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension NetlinkOperation {
    /// Without waiting for the kernel to find out whether somebody else has the address: ours are given out once.
    package static func addAddress(_ prefix: IPv6Prefix, linkIndex: Int32) -> NetlinkOperation {
        address(MessageType.newAddress, MessageFlags.createNew, prefix, linkIndex, "add address")
    }

    package static func deleteAddress(_ prefix: IPv6Prefix, linkIndex: Int32) -> NetlinkOperation {
        address(MessageType.deleteAddress, MessageFlags.acknowledge, prefix, linkIndex, "delete address")
    }

    private static func address(
        _ type: UInt16, _ flags: UInt16, _ prefix: IPv6Prefix, _ linkIndex: Int32, _ name: String
    ) -> NetlinkOperation {
        var request = NetlinkRequest(type: type, flags: flags)
        for field in [Number.familyIPv6, UInt8(prefix.length), Number.addressNoDetection, Number.scopeUniverse] {
            request.append(field)
        }
        request.append(UInt32(bitPattern: linkIndex))
        request.attribute(AddressAttribute.local, bytes: prefix.address.bytes)
        request.attribute(AddressAttribute.address, bytes: prefix.address.bytes)
        return NetlinkOperation(request: request, name: name, subject: prefix.description)
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

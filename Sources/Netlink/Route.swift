// SPDX-License-Identifier: Apache-2.0

/// An IPv4 route of the main table.
package struct Route: Sendable, Equatable {
    /// 0.0.0.0/0 for the default route.
    package var destination: IPv4Prefix
    package var gateway: IPv4Address?
    package var linkIndex: Int32?

    package var isDefault: Bool { destination.length == 0 }

    init?(_ payload: ArraySlice<UInt8>) {
        guard payload.uint8(at: 0) == Number.familyIPv4, let length = payload.uint8(at: 1),
            payload.uint8(at: 4) == Number.tableMain, payload.uint8(at: 7) == Number.routeUnicast
        else { return nil }
        let attributes = NetlinkAttributes(payload.dropFirst(12))
        let address = attributes.first(RouteAttribute.destination).flatMap { IPv4Address(bytes: $0) }
        guard let destination = IPv4Prefix(address ?? .any, length: Int(length)) else { return nil }
        self.destination = destination
        gateway = attributes.first(RouteAttribute.gateway).flatMap { IPv4Address(bytes: $0) }
        linkIndex = attributes.first(RouteAttribute.outputInterface)?.uint32(at: 0).map { Int32(bitPattern: $0) }
    }
}

extension NetlinkOperation {
    /// `ip route add DESTINATION [via GATEWAY] dev LINK`.
    package static func addRoute<Address>(
        _ destination: AddressPrefix<Address>, gateway: Address?, linkIndex: Int32
    ) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.newRoute, flags: MessageFlags.createNew)
        let isIPv6 = Address.self == IPv6Address.self
        let scope = gateway == nil && !isIPv6 ? Number.scopeLink : Number.scopeUniverse
        let family = isIPv6 ? Number.familyIPv6 : Number.familyIPv4
        for field in [
            family, UInt8(destination.length), 0, 0, Number.tableMain, Number.protocolBoot, scope,
            Number.routeUnicast,
        ] {
            request.append(field)
        }
        request.append(UInt32(0))
        if destination.length > 0 { request.attribute(RouteAttribute.destination, bytes: destination.first.bytes) }
        if let gateway { request.attribute(RouteAttribute.gateway, bytes: gateway.bytes) }
        request.attribute(RouteAttribute.outputInterface, UInt32(bitPattern: linkIndex))
        return NetlinkOperation(request: request, name: "add route", subject: destination.description)
    }
}

extension NetlinkOperation {
    /// `ip route delete default`, of either family; ESRCH if there is none.
    package static func deleteDefaultRoute(isIPv6: Bool) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.deleteRoute, flags: MessageFlags.acknowledge)
        let family = isIPv6 ? Number.familyIPv6 : Number.familyIPv4
        for field in [
            family, 0, 0, 0, Number.tableMain, Number.protocolBoot, Number.scopeUniverse, Number.routeUnicast,
        ] {
            request.append(field)
        }
        request.append(UInt32(0))
        return NetlinkOperation(request: request, name: "delete route", subject: "default")
    }
}

extension NetlinkSocket {
    /// The unicast IPv4 routes of the main table.
    package mutating func routes() throws(NetlinkError) -> [Route] {
        var request = NetlinkRequest(type: MessageType.getRoute, flags: MessageFlags.dump)
        request.append(UInt32(Number.familyIPv4))
        request.append(UInt32(0))
        request.append(UInt32(0))
        return try query(NetlinkOperation(request: request, name: "list routes", subject: "")) { Route($0) }
    }
}

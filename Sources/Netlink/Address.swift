// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address on a link.
package struct LinkAddress: Sendable, Equatable {
    package var linkIndex: Int32
    package var prefix: IPv4Prefix

    init?(_ payload: ArraySlice<UInt8>) {
        guard payload.uint8(at: 0) == Number.familyIPv4, let length = payload.uint8(at: 1),
            let index = payload.uint32(at: 4)
        else { return nil }
        // IFA_LOCAL is the link's own address; IFA_ADDRESS is the other end's on point-to-point links.
        let attributes = NetlinkAttributes(payload.dropFirst(8))
        guard let bytes = attributes.first(AddressAttribute.local) ?? attributes.first(AddressAttribute.address),
            let address = IPv4Address(bytes: bytes), let prefix = IPv4Prefix(address, length: Int(length))
        else { return nil }
        linkIndex = Int32(bitPattern: index)
        self.prefix = prefix
    }
}

extension NetlinkOperation {
    package static func addAddress(_ prefix: IPv4Prefix, linkIndex: Int32) -> NetlinkOperation {
        address(MessageType.newAddress, MessageFlags.createNew, prefix, linkIndex, "add address")
    }

    package static func deleteAddress(_ prefix: IPv4Prefix, linkIndex: Int32) -> NetlinkOperation {
        address(MessageType.deleteAddress, MessageFlags.acknowledge, prefix, linkIndex, "delete address")
    }

    /// `struct ifaddrmsg` with IFA_LOCAL, IFA_ADDRESS and, for the kernel not to guess, IFA_BROADCAST.
    private static func address(
        _ type: UInt16, _ flags: UInt16, _ prefix: IPv4Prefix, _ index: Int32, _ name: String
    ) -> NetlinkOperation {
        var request = NetlinkRequest(type: type, flags: flags)
        request.append(Number.familyIPv4)
        request.append(UInt8(prefix.length))
        request.append(UInt8(0))
        request.append(Number.scopeUniverse)
        request.append(UInt32(bitPattern: index))
        request.attribute(AddressAttribute.local, bytes: prefix.address.bytes)
        request.attribute(AddressAttribute.address, bytes: prefix.address.bytes)
        if prefix.length < 31 { request.attribute(AddressAttribute.broadcast, bytes: prefix.last.bytes) }
        return NetlinkOperation(request: request, name: name, subject: prefix.description)
    }
}

extension NetlinkSocket {
    /// All IPv4 addresses of the namespace.
    package mutating func addresses() throws(NetlinkError) -> [LinkAddress] {
        var request = NetlinkRequest(type: MessageType.getAddress, flags: MessageFlags.dump)
        request.append(UInt32(Number.familyIPv4))
        request.append(UInt32(0))
        return try query(NetlinkOperation(request: request, name: "list addresses", subject: "")) { LinkAddress($0) }
    }
}

// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// A network interface as the kernel describes it.
package struct Link: Sendable, Equatable {
    package var index: Int32
    package var name: String
    /// `bridge`, `veth`, …; empty for a physical device.
    package var kind: String = ""
    package var isUp: Bool
    package var mtu: Int = 0
    /// The index of the bridge it is a port of; 0 for none.
    package var master: Int32 = 0
    package var address: MACAddress?
    /// A free text that its maker can leave on it (`ip link set … alias`).
    package var alias: String = ""

    init?(_ payload: ArraySlice<UInt8>) {
        guard let index = payload.uint32(at: 4), let flags = payload.uint32(at: 8) else { return nil }
        self.index = Int32(bitPattern: index)
        isUp = flags & Number.interfaceUp != 0
        name = ""
        for attribute in NetlinkAttributes(payload.dropFirst(16)) {
            switch attribute.type {
            case LinkAttribute.name: name = attribute.value.cString
            case LinkAttribute.mtu: mtu = Int(attribute.value.uint32(at: 0) ?? 0)
            case LinkAttribute.master: master = Int32(bitPattern: attribute.value.uint32(at: 0) ?? 0)
            case LinkAttribute.address: address = MACAddress(bytes: attribute.value)
            case LinkAttribute.alias: alias = attribute.value.cString
            case LinkAttribute.linkInfo:
                kind = NetlinkAttributes(attribute.value).first(LinkAttribute.infoKind)?.cString ?? ""
            default: break
            }
        }
    }
}

/// One end of a veth pair to be made.
package struct VethEnd: Sendable {
    package var name: String
    package var address: MACAddress?
    package var mtu: Int?

    package init(_ name: String, address: MACAddress? = nil, mtu: Int? = nil) {
        self.name = name
        self.address = address
        self.mtu = mtu
    }
}

extension NetlinkOperation {
    /// `ip link add NAME type bridge`; it is down at first.
    package static func addBridge(
        _ name: String, address: MACAddress? = nil, mtu: Int? = nil
    ) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.newLink, flags: MessageFlags.createNew)
        request.appendLinkHeader()
        request.appendEnd(VethEnd(name, address: address, mtu: mtu))
        request.attribute(LinkAttribute.linkInfo) { $0.attribute(LinkAttribute.infoKind, string: "bridge") }
        return NetlinkOperation(request: request, name: "add bridge", subject: name)
    }

    /// A veth pair in one step: `host` here, a port of the link with index `master`; `peer` in the network namespace
    /// `namespace`. Both are down: veth ends cannot go up before both exist (ENOTCONN). The caller keeps the namespace
    /// open until the answer.
    package static func addVeth(
        host: VethEnd, master: Int32, peer: VethEnd, namespace: borrowing OwnedFD
    ) -> NetlinkOperation {
        let fd = UInt32(bitPattern: namespace.raw)
        var request = NetlinkRequest(type: MessageType.newLink, flags: MessageFlags.createNew)
        request.appendLinkHeader()
        request.appendEnd(host)
        request.attribute(LinkAttribute.master, UInt32(bitPattern: master))
        request.attribute(LinkAttribute.linkInfo) { info in
            info.attribute(LinkAttribute.infoKind, string: "veth")
            info.attribute(LinkAttribute.infoData) { data in
                data.attribute(LinkAttribute.vethPeer) { end in
                    end.appendLinkHeader()
                    end.appendEnd(peer)
                    end.attribute(LinkAttribute.namespaceFD, fd)
                }
            }
        }
        return NetlinkOperation(request: request, name: "add veth", subject: host.name)
    }

    package static func deleteLink(_ name: String) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.deleteLink, flags: MessageFlags.acknowledge)
        request.appendLinkHeader()
        request.attribute(LinkAttribute.name, string: name)
        return NetlinkOperation(request: request, name: "delete link", subject: name)
    }

    /// Brings a link of this name up, for use in one batch with the message that makes it.
    package static func bringUp(_ name: String) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.setLink, flags: MessageFlags.acknowledge)
        request.appendLinkHeader(flags: Number.interfaceUp, change: Number.interfaceUp)
        request.attribute(LinkAttribute.name, string: name)
        return NetlinkOperation(request: request, name: "bring up", subject: name)
    }

    /// The link gets no IPv6 link-local address when it goes up (IN6_ADDR_GEN_MODE_NONE). The kernel takes this only
    /// for a link that exists; without IPv6 in the kernel there is nothing to prevent.
    package static func withoutIPv6Addresses(_ name: String) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.setLink, flags: MessageFlags.acknowledge)
        request.appendLinkHeader()
        request.attribute(LinkAttribute.name, string: name)
        request.attribute(LinkAttribute.perFamily) { families in
            families.attribute(UInt16(Number.familyIPv6)) { family in
                family.attribute(LinkAttribute.inet6AddressGeneration, bytes: [Number.addressGenerationNone])
            }
        }
        return NetlinkOperation(
            request: request, name: "turn off IPv6 addresses", subject: name, tolerated: .familyNotSupported)
    }

    /// Changes an existing link: up or down, size, master (0 releases it from its bridge), name.
    package static func setLink(
        index: Int32, up: Bool? = nil, mtu: Int? = nil, master: Int32? = nil, name: String? = nil,
        address: MACAddress? = nil, namespaceFD: Int32? = nil
    ) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.setLink, flags: MessageFlags.acknowledge)
        let flags = up == true ? Number.interfaceUp : 0
        request.appendLinkHeader(index: index, flags: flags, change: up == nil ? 0 : Number.interfaceUp)
        if let mtu { request.attribute(LinkAttribute.mtu, UInt32(clamping: mtu)) }
        if let master { request.attribute(LinkAttribute.master, UInt32(bitPattern: master)) }
        if let name { request.attribute(LinkAttribute.name, string: name) }
        if let address { request.attribute(LinkAttribute.address, bytes: address.bytes) }
        if let namespaceFD { request.attribute(LinkAttribute.namespaceFD, UInt32(bitPattern: namespaceFD)) }
        return NetlinkOperation(request: request, name: "set link", subject: name ?? String(index))
    }

    /// `ip link set NAME alias TEXT`. The kernel takes it only for a link that exists.
    package static func setAlias(_ name: String, _ alias: String) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.setLink, flags: MessageFlags.acknowledge)
        request.appendLinkHeader()
        request.attribute(LinkAttribute.name, string: name)
        request.attribute(LinkAttribute.alias, string: alias)
        return NetlinkOperation(request: request, name: "set alias", subject: name)
    }

    /// Options of a link that is a port of a bridge. `hairpin`: a frame may leave by the port it came in by. An
    /// `isolated` port reaches the bridge and the ports that are not isolated, but no other isolated port.
    package static func setBridgePort(_ name: String, hairpin: Bool, isolated: Bool) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.newLink, flags: MessageFlags.acknowledge)
        request.appendLinkHeader()
        request.attribute(LinkAttribute.name, string: name)
        request.attribute(LinkAttribute.linkInfo) { info in
            info.attribute(LinkAttribute.infoSlaveKind, string: "bridge")
            info.attribute(LinkAttribute.infoSlaveData) { data in
                data.attribute(LinkAttribute.bridgePortHairpin, bytes: [hairpin ? 1 : 0])
                data.attribute(LinkAttribute.bridgePortIsolated, bytes: [isolated ? 1 : 0])
            }
        }
        return NetlinkOperation(request: request, name: "set bridge port", subject: name)
    }
}

extension MessageFlags {
    static let createNew = acknowledge | create | exclusive
}

extension NetlinkRequest {
    mutating func appendEnd(_ end: VethEnd) {
        attribute(LinkAttribute.name, string: end.name)
        if let address = end.address { attribute(LinkAttribute.address, bytes: address.bytes) }
        if let mtu = end.mtu { attribute(LinkAttribute.mtu, UInt32(clamping: mtu)) }
    }
}

extension NetlinkSocket {
    package mutating func links() throws(NetlinkError) -> [Link] {
        var request = NetlinkRequest(type: MessageType.getLink, flags: MessageFlags.dump)
        request.appendLinkHeader()
        return try query(NetlinkOperation(request: request, name: "list links", subject: "")) { Link($0) }
    }

    /// nil if there is no such link.
    package mutating func link(named name: String) throws(NetlinkError) -> Link? {
        var request = NetlinkRequest(type: MessageType.getLink, flags: MessageFlags.acknowledge)
        request.appendLinkHeader()
        request.attribute(LinkAttribute.name, string: name)
        do throws(NetlinkError) {
            return try query(NetlinkOperation(request: request, name: "get link", subject: name)) { Link($0) }.first
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}

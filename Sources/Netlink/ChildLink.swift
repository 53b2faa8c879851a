// SPDX-License-Identifier: Apache-2.0

/// A kind of link that sends and receives by another one (linux/if_link.h).
package enum ChildLink: Sendable, Equatable {
    /// With a MAC address of its own; `mode` is one of MACVLAN_MODE_*.
    case macvlan(mode: UInt32)
    /// With its parent's MAC address; `mode` is one of IPVLAN_MODE_*, `flags` are of IPVLAN_F_*.
    case ipvlan(mode: UInt16, flags: UInt16)
    /// What its parent carries with this 802.1Q tag.
    case vlan(id: UInt16)

    /// The kernel's name of the kind.
    package var name: String {
        switch self {
        case .macvlan: "macvlan"
        case .ipvlan: "ipvlan"
        case .vlan: "vlan"
        }
    }

    fileprivate func append(to data: inout NetlinkRequest) {
        switch self {
        case .macvlan(let mode): data.attribute(ChildAttribute.mode, mode)
        case .ipvlan(let mode, let flags):
            data.attribute(ChildAttribute.mode) { $0.append(mode) }
            data.attribute(ChildAttribute.flags) { $0.append(flags) }
        case .vlan(let id): data.attribute(ChildAttribute.mode) { $0.append(id) }
        }
    }
}

/// IFLA_MACVLAN_*, IFLA_IPVLAN_* and IFLA_VLAN_*.
private enum ChildAttribute {
    static let mode: UInt16 = 1  // for vlan its id
    static let flags: UInt16 = 2
}

extension NetlinkOperation {
    /// `ip link add END link PARENT type KIND`; it is down at first.
    /// - Parameter namespaceFD: the network namespace that it is made in, open until the answer; nil for this one.
    package static func addChild(
        _ end: VethEnd, of parent: Int32, _ kind: ChildLink, namespaceFD: Int32? = nil
    ) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.newLink, flags: MessageFlags.createNew)
        request.appendLinkHeader()
        request.appendEnd(end)
        request.attribute(LinkAttribute.parent, UInt32(bitPattern: parent))
        if let namespaceFD { request.attribute(LinkAttribute.namespaceFD, UInt32(bitPattern: namespaceFD)) }
        request.attribute(LinkAttribute.linkInfo) { info in
            info.attribute(LinkAttribute.infoKind, string: kind.name)
            info.attribute(LinkAttribute.infoData) { kind.append(to: &$0) }
        }
        return NetlinkOperation(request: request, name: "add \(kind.name)", subject: end.name)
    }

    /// `ip link add NAME type dummy`: a link that leads nowhere.
    package static func addDummy(_ name: String) -> NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.newLink, flags: MessageFlags.createNew)
        request.appendLinkHeader()
        request.appendEnd(VethEnd(name))
        request.attribute(LinkAttribute.linkInfo) { $0.attribute(LinkAttribute.infoKind, string: "dummy") }
        return NetlinkOperation(request: request, name: "add dummy", subject: name)
    }
}

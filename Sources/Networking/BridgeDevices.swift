// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

/// Bridges and their ports in the daemon's own network namespace.
final class BridgeDevices {
    private var netlink: NetlinkSocket

    /// Left on a bridge that we made, so that one that the administrator made is never removed.
    static let mark = "swrun"

    init() throws(NetworkError) {
        do throws(NetlinkError) { netlink = try NetlinkSocket() } catch { throw NetworkError(error) }
    }

    /// A bridge as it is: its link and its first IPv4 address.
    struct Bridge {
        var link: Link
        var address: IPv4Prefix?
    }

    func find(_ name: String) throws(NetworkError) -> Bridge? {
        try run { (netlink) throws(NetlinkError) in
            guard let link = try netlink.link(named: name) else { return nil }
            let address = try netlink.addresses().first { $0.linkIndex == link.index }
            return Bridge(link: link, address: address?.prefix)
        }
    }

    /// Makes the bridge unless it is there, gives it its addresses unless it has them, and brings it up.
    func ensure(
        _ name: String, hardwareAddress: MACAddress, address: IPv4Prefix?, address6: IPv6Prefix?, mtu: Int
    ) throws(NetworkError) {
        if try find(name) == nil {
            try run { (netlink) throws(NetlinkError) in
                try netlink.run([
                    .addBridge(name, address: hardwareAddress, mtu: mtu), .setAlias(name, Self.mark),
                    .withoutIPv6Addresses(name),
                ])
            }
        }
        guard let bridge = try find(name) else { throw NetworkError(.internal, "bridge \(name) did not appear") }
        guard bridge.link.kind == "bridge" else {
            throw NetworkError(.invalidArgument, "existing interface \(name) is not a bridge")
        }
        var operations: [NetlinkOperation] = []
        if let address, bridge.address != address {
            if let old = bridge.address, bridge.link.alias == Self.mark {
                operations.append(.deleteAddress(old, linkIndex: bridge.link.index).tolerating(.addressNotAvailable))
            }
            operations.append(.addAddress(address, linkIndex: bridge.link.index).tolerating(.exists))
        }
        if !bridge.link.isUp { operations.append(.setLink(index: bridge.link.index, up: true)) }
        if let address6 {
            // Where the host says that new links have no IPv6, this one has it all the same.
            try? writeText(FilePath("/proc/sys/net/ipv6/conf/\(name)/disable_ipv6"), "0")
            operations.append(.addAddress(address6, linkIndex: bridge.link.index).tolerating(.exists))
            // What comes from other machines for a container is held up until a link-local address has asked for its
            // MAC address (RFC 4861, 7.2.2). All bridges may have the same one, as docker's do.
            if let linkLocal = IPv6Prefix("fe80::1/64") {
                operations.append(.addAddress(linkLocal, linkIndex: bridge.link.index).tolerating(.exists))
            }
        }
        try run { (netlink) throws(NetlinkError) in try netlink.run(operations) }
    }

    /// Takes an address off a bridge that may be gone.
    func remove(_ address: IPv6Prefix, from name: String) throws(NetworkError) {
        try run { (netlink) throws(NetlinkError) in
            guard let link = try netlink.link(named: name), link.alias == Self.mark else { return }
            try netlink.run(.deleteAddress(address, linkIndex: link.index).tolerating(.addressNotAvailable))
        }
    }

    private static let bridgedPackets = ["iptables", "ip6tables"].map {
        FilePath("/proc/sys/net/bridge/bridge-nf-call-\($0)")
    }

    /// Whether the kernel can show our rules what a bridge carries between its ports (br_netfilter).
    static var canShowBridgedPackets: Bool { bridgedPackets.first.map { exists($0) } == true }

    /// Has the kernel do so.
    func showBridgedPackets() {
        for file in Self.bridgedPackets { try? writeText(file, "1") }
    }

    /// Removes a bridge that we made; any other is left alone.
    func removeIfOurs(_ name: String) throws(NetworkError) {
        guard let bridge = try find(name), bridge.link.kind == "bridge", bridge.link.alias == Self.mark else { return }
        try removeLink(name)
    }

    func removeLink(_ name: String) throws(NetworkError) {
        try run { (netlink) throws(NetlinkError) in try netlink.run(.deleteLink(name).tolerating(.noSuchDevice)) }
    }

    /// The names of the veth links that are ports of the bridge.
    func ports(of bridge: String) throws(NetworkError) -> [String] {
        try run { (netlink) throws(NetlinkError) in
            let links = try netlink.links()
            guard let index = links.first(where: { $0.name == bridge })?.index else { return [] }
            return links.filter { $0.master == index && $0.kind == "veth" }.map(\.name)
        }
    }

    /// Networks that the host already reaches: what a new subnet must not overlap.
    func occupiedPrefixes() throws(NetworkError) -> [IPv4Prefix] {
        try run { (netlink) throws(NetlinkError) in
            try netlink.routes().filter { !$0.isDefault }.map(\.destination)
                + netlink.addresses().map(\.prefix.network)
        }
    }

    /// The MTU of the link of the default route, at most Ethernet's: a bigger packet would be lost or fragmented there.
    func uplinkMTU() -> Int {
        let found = try? run { (netlink) throws(NetlinkError) in
            let links = try netlink.links()
            return try netlink.routes().filter(\.isDefault).compactMap { route in
                links.first { $0.index == route.linkIndex }?.mtu
            }
        }
        return min((found ?? []).min() ?? 1500, 1500)
    }

    /// What a new endpoint looks like, on both ends.
    struct Port {
        var hostLink: String
        var interface: String
        /// nil where the kernel chooses it.
        var macAddress: MACAddress?
        var address: IPv4Prefix?
        /// nil leaves the container without a default route.
        var gateway: IPv4Address?
        var isolated: Bool
        /// The container may reach itself through a port it publishes: netfilter for bridges sends such a packet back
        /// where it came from.
        var hairpin: Bool
        var address6: IPv6Prefix?
        /// nil leaves the container without a default route for IPv6.
        var gateway6: IPv6Address?
        var linkLocal: [IPv4Prefix] = []
        var linkLocal6: [IPv6Prefix] = []
    }

    /// Joins the container's namespace to the bridge: one request here, two there.
    func connect(_ port: Port, bridge: String, container: inout NamespaceHandle) throws(NetworkError) {
        guard let link = try find(bridge)?.link else { throw NetworkError(.notFound, "bridge \(bridge) is missing") }
        do throws(NetlinkError) {
            try netlink.run([
                .addVeth(
                    host: VethEnd(port.hostLink, mtu: link.mtu), master: link.index,
                    peer: VethEnd(port.interface, address: port.macAddress, mtu: link.mtu),
                    namespace: container.namespace),
                .withoutIPv6Addresses(port.hostLink),
                .setBridgePort(port.hostLink, hairpin: port.hairpin, isolated: port.isolated),
                .bringUp(port.hostLink),
            ])
            try configure(port, &container.netlink)
        } catch {
            _ = try? netlink.run(.deleteLink(port.hostLink))
            throw NetworkError(error)
        }
    }

    /// Addresses and routes of an interface that is there.
    func configure(_ port: Port, _ inside: inout NetlinkSocket) throws(NetlinkError) {
        guard let end = try inside.link(named: port.interface) else {
            throw NetlinkError(operation: "get link", subject: port.interface, errno: .noSuchDevice)
        }
        var operations: [NetlinkOperation] = [.setLink(index: loopbackIndex, up: true)]
        if let address = port.address { operations.append(.addAddress(address, linkIndex: end.index)) }
        operations.append(.setLink(index: end.index, up: true))
        if let gateway = port.gateway, let everywhere = IPv4Prefix(.any, length: 0) {
            if port.address?.contains(gateway) == false, let single = IPv4Prefix(gateway, length: 32) {
                operations.append(.addRoute(single, gateway: nil, linkIndex: end.index))
            }
            operations.append(.addRoute(everywhere, gateway: gateway, linkIndex: end.index))
        }
        operations += port.linkLocal.map { .addAddress($0, linkIndex: end.index) }
        operations += port.linkLocal6.map { .addAddress($0, linkIndex: end.index) }
        if let address = port.address6 { operations.append(.addAddress(address, linkIndex: end.index)) }
        if let gateway = port.gateway6 {
            // The first network's route stays.
            operations.append(.addDefaultRoute(via: gateway, linkIndex: end.index).tolerating(.exists))
        }
        try inside.run(operations)
    }

    func run<R>(_ body: (inout NetlinkSocket) throws(NetlinkError) -> R) throws(NetworkError) -> R {
        do throws(NetlinkError) { return try body(&netlink) } catch { throw NetworkError(error) }
    }
}

/// The kernel gives `lo` this index in each namespace.
let loopbackIndex: Int32 = 1

extension NetworkError {
    init(_ error: NetlinkError) { self.init(.internal, error.description) }
}

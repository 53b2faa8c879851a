// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// The default routes of a container that is on several networks, and the published ports, which go with them.
extension NetworkService {
    /// Whether the way out leads over `one` rather than over `other`, in docker's order: by priority, then by the families
    /// in which the network leads out at all, then by the network's name.
    private func leads(_ one: EndpointRecord, before other: EndpointRecord, _ state: NetworkState) -> Bool {
        func families(_ endpoint: EndpointRecord) -> Int {
            (endpoint.gateway == nil ? 0 : 1) + (endpoint.gateway6 == nil ? 0 : 1)
        }
        func name(_ endpoint: EndpointRecord) -> String { state.networks[endpoint.networkID]?.name ?? "" }
        if one.gatewayPriority != other.gatewayPriority { return one.gatewayPriority > other.gatewayPriority }
        if families(one) != families(other) { return families(one) > families(other) }
        return name(one) < name(other)
    }

    /// The gateways of the default routes that an endpoint is to have, of each family: none where another network leads.
    /// The routes that it takes them from are gone then.
    func takeDefaultRoutes(
        _ endpoint: EndpointRecord, _ state: NetworkState, _ handle: inout NamespaceHandle
    ) throws(NetworkError) -> (ipv4: IPv4Address?, ipv6: IPv6Address?) {
        let others = state.endpoints(of: endpoint.containerID).filter { $0.id != endpoint.id }
        let rivals = others.filter { leads($0, before: endpoint, state) }
        let gateway = rivals.contains { $0.gateway != nil } ? nil : endpoint.gateway
        let gateway6 = rivals.contains { $0.gateway6 != nil } ? nil : endpoint.gateway6
        do throws(NetlinkError) {
            if gateway != nil, others.contains(where: { $0.gateway != nil }) {
                try handle.netlink.run(.deleteDefaultRoute(isIPv6: false).tolerating(.noSuchProcess))
            }
            if gateway6 != nil, others.contains(where: { $0.gateway6 != nil }) {
                try handle.netlink.run(.deleteDefaultRoute(isIPv6: true).tolerating(.noSuchProcess))
            }
        } catch {
            throw NetworkError(error)
        }
        return (gateway, gateway6)
    }

    /// With a network its default routes went; another network's take their place.
    func restoreRoutes(
        _ rest: [EndpointRecord], _ state: NetworkState, _ netlink: inout NetlinkSocket
    ) throws(NetlinkError) {
        let ranked = rest.sorted { leads($0, before: $1, state) }
        if let next = ranked.first(where: { $0.gateway != nil }), let gateway = next.gateway,
            let link = try netlink.link(named: next.interface), let everywhere = IPv4Prefix(.any, length: 0)
        {
            try netlink.run(.addRoute(everywhere, gateway: gateway, linkIndex: link.index).tolerating(.exists))
        }
        if let next = ranked.first(where: { $0.gateway6 != nil }), let gateway = next.gateway6,
            let link = try netlink.link(named: next.interface)
        {
            try netlink.run(.addDefaultRoute(via: gateway, linkIndex: link.index).tolerating(.exists))
        }
    }

    /// Leads the published ports of a container to its address on the network that its default route of their family leads
    /// over; but for the endpoint that it is about to lose. They stay where they are if there is no such network.
    func movePorts(
        of container: String, leaving lost: String = "", _ state: NetworkState
    ) throws(NetworkError) {
        let before = state.endpoints(of: container)
        let ways = before.filter { endpoint in
            let leadsOut = endpoint.gateway != nil || endpoint.gateway6 != nil
            return endpoint.id != lost && leadsOut && state.networks[endpoint.networkID]?.driver == "bridge"
        }
        .sorted { leads($0, before: $1, state) }
        guard let first = ways.first else { return }
        let way4 = ways.first { $0.gateway != nil } ?? first
        let way6 = ways.first { $0.gateway6 != nil } ?? first
        // A routed port is the container's own, and has none on the host that could lead elsewhere.
        var after = before
        for index in after.indices { after[index].ports.removeAll { $0.hostPort != 0 } }
        for port in before.flatMap(\.ports) where port.hostPort != 0 {
            let way = port.hostIP.isIPv6 ? way6.id : way4.id
            if let index = after.firstIndex(where: { $0.id == way }) { after[index].ports.append(port) }
        }
        let changed = zip(before, after).filter { Set($0.ports) != Set($1.ports) }
        if changed.isEmpty { return }
        for (old, new) in changed {
            for port in old.ports { state.proxy.end(port) }
            forgetFlows(old)
            try state.save(new)
        }
        try applyFirewall(state)
        for (_, new) in changed where !new.ports.isEmpty {
            try allowLoopback(on: state.networks[new.networkID]?.bridge ?? "")
            startProxies(new, state)
        }
    }
}

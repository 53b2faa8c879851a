// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// More networks for a container that has a namespace already.
extension NetworkService {
    /// Joins a container that was attached (or is running) to one more network. Its `ports` are not published there.
    package func connect(_ request: EndpointRequest) throws(NetworkError) -> NetworkAttachment {
        let state = try open()
        let network = try state.network(request.mode)
        let own = state.endpoints(of: request.containerID)
        try checkConnectable(network, own, request, state)
        try ensure(network, state)
        var endpoint = newEndpoint(request, network)
        endpoint.interface = try interface(request, network, own)
        var handle = try namespaces.open(request.containerID)
        var wanted = request
        wanted.ports = []
        do throws(NetworkError) {
            try connect(&endpoint, wanted, network, state, &handle)
        } catch {
            release(endpoint, state)
            throw error
        }
        return attachment(endpoint, network, request, resolvConf: resolvConf(request, network))
    }

    /// Takes a running container off one network; its published ports there end.
    package func disconnect(container id: String, network reference: String) throws(NetworkError) {
        let state = try open()
        let network = try state.network(reference)
        guard let endpoint = state.endpoints(of: id).first(where: { $0.networkID == network.id }) else {
            throw NetworkError(.permissionDenied, "container \(id) is not connected to network \(network.name)")
        }
        guard network.driver != "host" else {
            throw NetworkError(
                .invalidArgument,
                "cannot disconnect container from host network - container was created in host network mode")
        }
        release(endpoint, state)
        guard network.hasInterfaces else { return }
        var inside = try namespaces.open(id)
        do throws(NetlinkError) {
            try inside.netlink.run(.deleteLink(endpoint.interface).tolerating(.noSuchDevice))
            try restoreRoutes(state.endpoints(of: id), &inside.netlink)
        } catch {
            throw NetworkError(error)
        }
    }

    /// With a network its default routes went; another network's take their place.
    private func restoreRoutes(
        _ rest: [EndpointRecord], _ netlink: inout NetlinkSocket
    ) throws(NetlinkError) {
        let ranked = rest.sorted { ($1.gatewayPriority, $0.interface) < ($0.gatewayPriority, $1.interface) }
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

    private func checkConnectable(
        _ network: NetworkRecord, _ own: [EndpointRecord], _ request: EndpointRequest, _ state: NetworkState
    ) throws(NetworkError) {
        if network.driver == "host" {
            throw NetworkError(
                .invalidArgument, "container cannot be disconnected from host network or connected to host network")
        }
        guard !network.isConfigOnly else { throw NetworkError.configurationOnly }
        guard network.hasInterfaces, own.allSatisfy({ state.networks[$0.networkID]?.hasInterfaces == true }) else {
            throw NetworkError(
                .permissionDenied,
                "container cannot be connected to multiple networks with one of the networks in private (none) or "
                    + "host mode")
        }
        guard !own.contains(where: { $0.networkID == network.id }) else {
            throw NetworkError(
                .permissionDenied,
                "endpoint with name \(request.containerName) already exists in network \(network.name)")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// More networks for a container that has a namespace already.
extension NetworkService {
    /// Joins a container that was attached (or is running) to one more network. Its `ports` are published there if it is
    /// on no other; else what is published moves there if the default route does.
    package func connect(_ wanted: EndpointRequest) async throws(NetworkError) -> NetworkAttachment {
        let state = try open()
        let network = try state.network(wanted.mode)
        let own = state.endpoints(of: wanted.containerID)
        try checkConnectable(network, own, wanted, state)
        let request = try await prepared(wanted, isFirst: false, state)
        do throws(NetworkError) {
            var publishing = request
            if !own.isEmpty { publishing.ports = [] }
            return try await opened(try connect(publishing, network, own, state), publishing, state)
        } catch {
            for endpoint in state.endpoints(of: wanted.containerID) where endpoint.networkID == network.id {
                release(endpoint, state)
            }
            throw error
        }
    }

    func connect(
        _ request: EndpointRequest, _ network: NetworkRecord, _ own: [EndpointRecord], _ state: NetworkState
    ) throws(NetworkError) -> NetworkAttachment {
        try ensure(network, state)
        var endpoint = newEndpoint(request, network)
        endpoint.interface = try interface(request, network, own)
        var handle = try namespaces.open(request.containerID)
        do throws(NetworkError) {
            try connect(&endpoint, request, network, state, &handle)
            try movePorts(of: request.containerID, state)
        } catch {
            release(endpoint, state)
            throw error
        }
        return attachment(endpoint, network, request, resolvConf: resolvConf(request, network))
    }

    /// Takes a running container off one network. Ports that are published there go to the network that its default route
    /// leads over then.
    ///
    /// - Returns: whether any ports are published still.
    package func disconnect(container id: String, network reference: String) async throws(NetworkError) -> Bool {
        let state = try open()
        let network = try state.network(reference)
        guard var endpoint = state.endpoints(of: id).first(where: { $0.networkID == network.id }) else {
            throw NetworkError(.permissionDenied, "container \(id) is not connected to network \(network.name)")
        }
        guard network.driver != "host" else {
            throw NetworkError(
                .invalidArgument,
                "cannot disconnect container from host network - container was created in host network mode")
        }
        try movePorts(of: id, leaving: endpoint.id, state)
        endpoint = state.endpoints(of: id).first { $0.id == endpoint.id } ?? endpoint
        release(endpoint, state)
        guard network.hasInterfaces else { return false }
        var inside = try namespaces.open(id)
        do throws(NetlinkError) {
            try inside.netlink.run(.deleteLink(endpoint.interface).tolerating(.noSuchDevice))
            try restoreRoutes(state.endpoints(of: id), state, &inside.netlink)
        } catch {
            throw NetworkError(error)
        }
        let rest = EndpointRequest(containerID: id, containerName: endpoint.containerName, mode: "")
        _ = try await keepWayOut(rest, state)
        return state.endpoints(of: id).contains { !$0.ports.isEmpty }
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

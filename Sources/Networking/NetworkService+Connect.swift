// SPDX-License-Identifier: Apache-2.0
import Netlink

// More networks for a container that has a namespace already.
extension NetworkService {
    /// Joins a container that was attached (or is running) to one more network. Its `ports` are not published there.
    package func connect(_ request: EndpointRequest) throws(NetworkError) -> NetworkAttachment {
        let state = try open()
        let network = try state.network(request.mode)
        let own = state.endpoints(of: request.containerID)
        try checkConnectable(network, own, request, state)
        try ensureBridge(network, state)
        var endpoint = newEndpoint(request, network)
        endpoint.interface = freeInterface(own)
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
        guard network.driver == "bridge" else {
            throw NetworkError(
                .permissionDenied,
                "cannot disconnect container from \(network.name) network - container was created in it"
            )
        }
        release(endpoint, state)
        try state.bridges.removeLink(endpoint.hostLink)
    }

    private func checkConnectable(
        _ network: NetworkRecord, _ own: [EndpointRecord], _ request: EndpointRequest, _ state: NetworkState
    ) throws(NetworkError) {
        if network.driver == "host" {
            throw NetworkError(
                .invalidArgument, "container cannot be disconnected from host network or connected to host network")
        }
        guard network.driver == "bridge", own.allSatisfy({ state.networks[$0.networkID]?.driver == "bridge" }) else {
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

    /// The lowest `ethN` that the container does not have.
    private func freeInterface(_ own: [EndpointRecord]) -> String {
        let taken = Set(own.map(\.interface))
        var number = 0
        while taken.contains("eth\(number)") { number += 1 }
        return "eth\(number)"
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// What the embedded name server knows of containers, and which of them it answers.
extension NetworkService {
    /// Makes an endpoint known by its names to the containers on its network.
    func addNames(_ endpoint: EndpointRecord, _ network: NetworkRecord) {
        guard network.hasNames, !endpoint.names.isEmpty else { return }
        nameServer.set(
            NameTable.Entry(
                network: network.id, networkName: network.name, address: endpoint.address?.address,
                address6: endpoint.address6?.address, names: endpoint.names),
            endpoint: endpoint.id)
    }

    /// Forgets an endpoint's names; the container no longer sees those of its network.
    func removeNames(_ endpoint: EndpointRecord, _ state: NetworkState) {
        nameServer.remove(endpoint: endpoint.id)
        let client = client(endpoint.containerID, state)
        nameServer.update(endpoint.containerID) { $0 = client }
    }

    /// Answers a container's questions about the networks that it is on now; does nothing more for one that is
    /// answered already.
    func serveNames(_ container: String, _ state: NetworkState) throws(NetworkError) {
        let client = client(container, state)
        if nameServer.isServing(container) { return nameServer.update(container) { $0 = client } }
        do throws(SysError) {
            let sockets = try inNetworkNamespace(namespaces.path(container)) { () throws(SysError) in
                try ResolverSockets.open()
            }
            try nameServer.serve(container, client, sockets)
        } catch {
            throw NetworkError(.internal, "name server of container \(container): \(error.description)")
        }
    }

    /// After a start of the daemon: containers that ran on go on to be answered.
    func restoreNames(_ state: NetworkState) {
        var containers: Set<String> = []
        for endpoint in state.endpoints.values {
            guard let network = state.networks[endpoint.networkID], network.hasNames else { continue }
            addNames(endpoint, network)
            containers.insert(endpoint.containerID)
        }
        for container in containers.sorted() where namespaces.isMounted(container) {
            do throws(NetworkError) { try serveNames(container, state) } catch { configuration.warn("\(error)") }
        }
    }

    /// Takes over a container's new name.
    package func rename(container id: String, to name: String) throws(NetworkError) {
        let state = try open()
        for var endpoint in state.endpoints(of: id) {
            let old = endpoint.containerName
            endpoint.containerName = name
            endpoint.names = endpoint.names.map { $0 == old ? name : $0 }
            try state.save(endpoint)
            if let network = state.networks[endpoint.networkID] { addNames(endpoint, network) }
        }
    }

    private func client(_ container: String, _ state: NetworkState) -> NameServer.Client {
        let endpoints = state.endpoints(of: container).sorted { $0.interface < $1.interface }
        let named = endpoints.filter { state.networks[$0.networkID]?.hasNames == true }
        var client = NameServer.Client(namespace: namespaces.path(container).string)
        client.view.networks = named.map(\.networkID)
        for endpoint in named where !endpoint.links.isEmpty { client.view.links[endpoint.networkID] = endpoint.links }
        // A container that only has internal networks must not reach the outside by way of names either.
        if endpoints.contains(where: { $0.gateway != nil || $0.gateway6 != nil }) {
            client.upstreams = upstreams(named.first { !$0.nameservers.isEmpty }?.nameservers ?? [])
        }
        return client
    }

    /// The servers that other names are asked of: the container's own, the daemon's, or the host's.
    private func upstreams(_ own: [String]) -> [NameServer.Upstream] {
        let texts = own.isEmpty ? configuration.nameservers : own
        let servers = texts.isEmpty ? ResolvConf.host().nameservers : texts
        return (servers.isEmpty ? ResolvConf.publicServers : servers).compactMap { text in
            // Asking ourselves would go on for ever.
            guard text != "127.0.0.11", let address = SocketAddress(nameserver: text) else { return nil }
            let isLoopback = text == "::1" || IPv4Address(text)?.isLoopback == true
            return NameServer.Upstream(address: address, isInContainer: isLoopback && !own.isEmpty)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

/// What the service knows and holds: the records (cached, written through), and the owners of kernel objects. It lives
/// on the service's thread alone.
final class NetworkState {
    let configuration: NetworkServiceConfiguration
    let store: NetworkStore
    private(set) var networks: [String: NetworkRecord] = [:]
    private(set) var endpoints: [String: EndpointRecord] = [:]
    let ports = PortReservations()
    let proxy = PortProxy()
    let firewall: Firewall
    let bridges: BridgeDevices

    init(_ configuration: NetworkServiceConfiguration) throws(NetworkError) {
        self.configuration = configuration
        store = try NetworkStore(path: configuration.dataRoot / "engine/network.db")
        for network in try store.networks() { networks[network.id] = network }
        for endpoint in try store.endpoints() { endpoints[endpoint.id] = endpoint }
        firewall = Firewall(
            table: configuration.tableName, enabled: configuration.firewall, enabledForIPv6: configuration.firewall6)
        bridges = try BridgeDevices()
        let known = networks.values.map(\.name)
        for (name, driver) in [("none", "null"), ("host", "host")] where !known.contains(name) {
            try save(NetworkRecord(id: randomIdentifier(), name: name, driver: driver, created: .now))
        }
    }

    /// By full id, name, or unambiguous beginning of an id, in docker's order.
    func network(_ reference: String) throws(NetworkError) -> NetworkRecord {
        if let network = networks[reference] { return network }
        if let network = networks.values.first(where: { $0.name == reference }) { return network }
        let matches = reference.isEmpty ? [] : networks.values.filter { $0.id.hasPrefix(reference) }
        if matches.count > 1 {
            throw NetworkError(
                .invalidArgument,
                "network \(reference) is ambiguous (\(matches.count) matches found based on ID prefix)")
        }
        guard let network = matches.first else { throw NetworkError(.notFound, "network \(reference) not found") }
        return network
    }

    func endpoints(on network: NetworkRecord) -> [EndpointRecord] {
        endpoints.values.filter { $0.networkID == network.id }
    }

    func endpoints(of container: String) -> [EndpointRecord] {
        endpoints.values.filter { $0.containerID == container }
    }

    func save(_ network: NetworkRecord) throws(NetworkError) {
        try store.save(network)
        networks[network.id] = network
    }

    func save(_ endpoint: EndpointRecord) throws(NetworkError) {
        try store.save(endpoint)
        endpoints[endpoint.id] = endpoint
    }

    func forgetNetwork(_ id: String) throws(NetworkError) {
        try store.removeNetwork(id)
        networks[id] = nil
    }

    func forgetEndpoint(_ id: String) throws(NetworkError) {
        try store.removeEndpoint(id)
        endpoints[id] = nil
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
package import Netlink

/// What a client asks of a network that is to be made.
package struct NetworkRequest: Sendable {
    package var name: String
    package var driver = "bridge"
    package var subnet: IPv4Prefix?
    package var gateway: IPv4Address?
    package var addressRange: IPv4Prefix?
    package var reserved: [String: IPv4Address] = [:]
    /// nil for a network without IPv6.
    package var ipv6: IPv6Request?
    package var isInternal = false
    package var isAttachable = false
    package var options: [String: String] = [:]
    package var labels: [String: String] = [:]

    package init(name: String) { self.name = name }
}

/// A network with the endpoints on it.
package struct NetworkStatus: Sendable {
    package var network: NetworkRecord
    package var endpoints: [EndpointRecord]
}

// The networks themselves: make, find, list, remove.
extension NetworkService {
    /// All networks, the oldest first.
    package func list() throws(NetworkError) -> [NetworkStatus] {
        let state = try open()
        return state.networks.values.sorted { ($0.created, $0.name) < ($1.created, $1.name) }.map { network in
            NetworkStatus(network: network, endpoints: state.endpoints(on: network))
        }
    }

    /// By name, id, or the beginning of an id.
    package func inspect(_ reference: String) throws(NetworkError) -> NetworkStatus {
        let state = try open()
        let network = try state.network(reference)
        return NetworkStatus(network: network, endpoints: state.endpoints(on: network))
    }

    package func create(_ request: NetworkRequest) throws(NetworkError) -> NetworkRecord {
        let state = try open()
        try check(request, state)
        let id = randomIdentifier()
        var network = NetworkRecord(id: id, name: request.name, driver: "bridge", created: .now)
        network.bridge = request.options["com.docker.network.bridge.name"] ?? "br-" + id.prefix(12)
        network.addressRange = request.addressRange
        network.reserved = request.reserved
        network.isInternal = request.isInternal
        network.isAttachable = request.isAttachable
        network.options = request.options
        network.labels = request.labels
        let subnet = try subnet(request, state)
        network.subnet = subnet
        network.isSubnetChosen = request.subnet != nil
        network.gateway = request.gateway ?? subnet.firstHost
        if let wanted = request.ipv6 {
            let others = state.networks.values.compactMap(\.ipv6?.subnet)
            network.ipv6 = try IPv6Network(wanted, networkID: id, others: others)
        }
        try state.save(network)
        do throws(NetworkError) { try ensureBridge(network, state) } catch {
            removeQuietly(network, state)
            throw error
        }
        return network
    }

    /// Removes a network that no container is on.
    @discardableResult
    package func remove(_ reference: String) throws(NetworkError) -> NetworkRecord {
        let state = try open()
        let network = try state.network(reference)
        if network.isPredefined {
            throw NetworkError(.permissionDenied, "\(network.name) is a pre-defined network and cannot be removed")
        }
        guard state.endpoints(on: network).isEmpty else {
            throw NetworkError(
                .permissionDenied,
                "error while removing network: network \(network.name) id \(network.id) has active endpoints")
        }
        try state.forgetNetwork(network.id)
        try applyFirewall(state)
        try state.bridges.removeIfOurs(network.bridge)
        return network
    }

    private func removeQuietly(_ network: NetworkRecord, _ state: NetworkState) {
        do throws(NetworkError) {
            try state.forgetNetwork(network.id)
            try state.bridges.removeIfOurs(network.bridge)
            try applyFirewall(state)
        } catch {
            configuration.warn("undo network \(network.name): \(error)")
        }
    }

    private func check(_ request: NetworkRequest, _ state: NetworkState) throws(NetworkError) {
        guard request.name.contains(where: { !$0.isWhitespace }) else {
            throw NetworkError(.invalidArgument, "invalid name: \(request.name)")
        }
        guard !["bridge", "host", "none", "default", "container"].contains(request.name) else {
            throw NetworkError(
                .permissionDenied, "operation is not permitted on predefined \(request.name) network ")
        }
        guard !state.networks.values.contains(where: { $0.name == request.name }) else {
            throw NetworkError(.conflict, "network with name \(request.name) already exists")
        }
        guard request.driver == "bridge" || request.driver.isEmpty else {
            guard ["macvlan", "ipvlan", "overlay"].contains(request.driver) else {
                throw NetworkError(.notFound, "plugin \"\(request.driver)\" not found")
            }
            throw NetworkError(.unimplemented, "network driver \"\(request.driver)\" is not implemented")
        }
        if let text = request.options[NetworkRecord.mtuOption], NetworkRecord.mtu(text) == nil {
            throw NetworkError(.invalidArgument, "invalid MTU number: \(text)")
        }
        _ = try BridgeOptions(request.options, isInternal: request.isInternal)
        if let name = request.options["com.docker.network.bridge.name"] {
            guard (1...15).contains(name.utf8.count),
                name.utf8.allSatisfy({ isAlphanumeric($0) || "_.-".utf8.contains($0) })
            else { throw NetworkError(.invalidArgument, "invalid bridge name: \(name)") }
            guard !state.networks.values.contains(where: { $0.bridge == name }) else {
                throw NetworkError(.conflict, "bridge \(name) is in use by another network")
            }
        }
    }

    /// The subnet that was asked for, if it is free, or else one of the pools'.
    private func subnet(_ request: NetworkRequest, _ state: NetworkState) throws(NetworkError) -> IPv4Prefix {
        let ours = state.networks.values.compactMap(\.subnet)
        guard let wanted = request.subnet?.network else {
            guard request.gateway == nil, request.addressRange == nil else {
                throw NetworkError(.invalidArgument, "invalid network config: a gateway or range needs a subnet")
            }
            let occupied = try ours + state.bridges.occupiedPrefixes()
            return try SubnetChooser(pools: configuration.addressPools).choose(avoiding: occupied)
        }
        guard (8...30).contains(wanted.length) else {
            throw NetworkError(.invalidArgument, "invalid subnet \(wanted): its length must be 8 to 30")
        }
        guard !ours.contains(where: { $0.overlaps(wanted) }) else {
            throw NetworkError(.permissionDenied, "Pool overlaps with other one on this address space")
        }
        let inside = [request.gateway, request.addressRange?.first, request.addressRange?.last].compactMap { $0 }
        guard (inside + request.reserved.values).allSatisfy(wanted.contains) else {
            throw NetworkError(.invalidArgument, "invalid network config: an address is not in the subnet \(wanted)")
        }
        return wanted
    }
}

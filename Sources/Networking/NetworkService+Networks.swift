// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
package import Netlink

/// What a client asks of a network that is to be made.
package struct NetworkRequest: Sendable {
    package var name: String
    package var driver = "bridge"
    package var hasIPv4 = true
    package var subnet: IPv4Prefix?
    package var gateway: IPv4Address?
    package var addressRange: IPv4Prefix?
    package var reserved: [String: IPv4Address] = [:]
    /// nil for a network without IPv6.
    package var ipv6: IPv6Request?
    /// What its IPv6 half is like if an option switches it on.
    package var unusedIPv6 = IPv6Request(subnet: nil, range: nil, gateway: nil)
    package var isInternal = false
    package var isAttachable = false
    package var addressing = Addressing()
    package var options: [String: String] = [:]
    package var labels: [String: String] = [:]
    /// Nothing is made of it but a record, which others name.
    package var isConfigOnly = false
    /// The network whose addresses, options and labels it gets; empty for none.
    package var configFrom = ""

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

    package func create(_ wanted: NetworkRequest) async throws(NetworkError) -> NetworkRecord {
        let state = try open()
        try checkName(wanted, state)
        let request = try complete(wanted, state)
        if request.addressing.isRemote || NetworkRecord.isPlugin(request.driver), !request.isConfigOnly {
            return try await createByPlugin(request, state)
        }
        return try create(request, isSubnetChosen: request.subnet != nil, state)
    }

    func create(
        _ request: NetworkRequest, isSubnetChosen: Bool, _ state: NetworkState
    ) throws(NetworkError) -> NetworkRecord {
        try NetworkRequestCheck(request: request, networks: Array(state.networks.values)).check()
        var network = NetworkRecord(request, id: randomIdentifier())
        if request.isConfigOnly {
            network.subnet = request.subnet
            network.gateway = request.gateway
            network.ipv6 = try request.ipv6.map { wanted throws(NetworkError) in
                try IPv6Network(wanted, networkID: network.id, others: [])
            }
            try state.save(network)
            return network
        }
        try giveSubnets(&network, request, state)
        network.isSubnetChosen = isSubnetChosen
        try state.save(network)
        do throws(NetworkError) { try ensure(network, state) } catch {
            removeQuietly(network, state)
            throw error
        }
        return state.networks[network.id] ?? network
    }

    private func giveSubnets(
        _ network: inout NetworkRecord, _ request: NetworkRequest, _ state: NetworkState
    ) throws(NetworkError) {
        if request.addressing.isAbsent { return }
        if request.hasIPv4 {
            let subnet = try subnet(request, state)
            network.subnet = subnet
            // Without an address of the bridge there is no need to keep one for it.
            let needsNone =
                network.isInternal
                && (network.bridgeOptions.map {
                    $0.mode == .isolated || $0.inhibitsIPv4
                } ?? false)
            network.gateway = request.gateway ?? (needsNone ? nil : subnet.firstHost)
        }
        if let wanted = request.ipv6 {
            let others = state.networks.values.filter { !$0.isConfigOnly }.compactMap(\.ipv6?.subnet)
            network.ipv6 = try IPv6Network(wanted, networkID: network.id, others: others)
        }
    }

    /// With what a configuration network says in place of the client's words, and the daemon's default options.
    private func complete(_ request: NetworkRequest, _ state: NetworkState) throws(NetworkError) -> NetworkRequest {
        var complete = request
        if !request.configFrom.isEmpty {
            if request.isConfigOnly {
                throw NetworkError(
                    .permissionDenied, "a configuration network cannot depend on another configuration network")
            }
            guard let source = try? state.network(request.configFrom), source.isConfigOnly else {
                throw NetworkError(.notFound, "configuration network \"\(request.configFrom)\" does not exist")
            }
            try complete.take(source)
        } else if !request.isConfigOnly {
            let driver = request.driver.isEmpty ? "bridge" : request.driver
            var defaults = configuration.defaultOptions[driver] ?? [:]
            if request.ipv6 != nil { defaults["com.docker.network.enable_ipv6"] = nil }
            complete.options.merge(defaults) { own, _ in own }
        }
        if let text = complete.options["com.docker.network.enable_ipv6"], complete.ipv6 == nil {
            if BridgeOptions.boolean(text) == true { complete.ipv6 = complete.unusedIPv6 }
        }
        return complete
    }

    /// Removes a network that no container is on.
    @discardableResult
    package func remove(_ reference: String) async throws(NetworkError) -> NetworkRecord {
        let network = try removeNow(reference)
        await deleteByPlugin(network)
        return network
    }

    private func removeNow(_ reference: String) throws(NetworkError) -> NetworkRecord {
        let state = try open()
        let network = try state.network(reference)
        if network.isPredefined {
            throw NetworkError(.permissionDenied, "\(network.name) is a pre-defined network and cannot be removed")
        }
        if network.isConfigOnly, state.networks.values.contains(where: { $0.configFrom == network.name }) {
            throw NetworkError(
                .permissionDenied,
                "error while removing network: configuration network \"\(network.name)\" is in use")
        }
        guard state.endpoints(on: network).isEmpty else {
            throw NetworkError(
                .permissionDenied,
                "error while removing network: network \(network.name) id \(network.id) has active endpoints")
        }
        try state.forgetNetwork(network.id)
        try applyFirewall(state)
        try removeLinks(network, state)
        return network
    }

    /// The bridge goes, or the parent if we made it and no other network has it; else that one sees to it later.
    private func removeLinks(_ network: NetworkRecord, _ state: NetworkState) throws(NetworkError) {
        guard let parent = network.parentOptions?.parent else {
            if !network.bridge.isEmpty { try state.bridges.removeIfOurs(network.bridge) }
            return
        }
        guard network.hasOwnParent else { return }
        if var heir = state.networks.values.first(where: { $0.parentOptions?.parent == parent }) {
            heir.hasOwnParent = true
            return try state.save(heir)
        }
        try state.bridges.removeLink(parent)
    }

    func removeQuietly(_ network: NetworkRecord, _ state: NetworkState) {
        do throws(NetworkError) {
            try state.forgetNetwork(network.id)
            try removeLinks(network, state)
            try applyFirewall(state)
        } catch {
            configuration.warn("undo network \(network.name): \(error)")
        }
    }

    func checkName(_ request: NetworkRequest, _ state: NetworkState) throws(NetworkError) {
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
    }

    /// The subnet that was asked for, if it is free, or else one of the pools'.
    private func subnet(_ request: NetworkRequest, _ state: NetworkState) throws(NetworkError) -> IPv4Prefix {
        let ours = state.networks.values.filter { !$0.isConfigOnly }.compactMap(\.subnet)
        guard let wanted = request.subnet?.network else {
            guard request.gateway == nil, request.addressRange == nil else {
                throw NetworkError(.invalidArgument, "invalid network config: a gateway or range needs a subnet")
            }
            let occupied = try ours + state.bridges.occupiedPrefixes()
            return try SubnetChooser(pools: configuration.addressPools).choose(avoiding: occupied)
        }
        guard (8...32).contains(wanted.length) else {
            throw NetworkError(.invalidArgument, "invalid subnet \(wanted): its length must be 8 to 32")
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

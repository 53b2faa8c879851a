// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Netlink

// Networks that a plugin makes, and endpoints that a plugin has a part in: it gives the addresses, or the interface. It is
// asked before anything is made here; the endpoint is recorded first, so that whatever happens what it has done is undone.
extension NetworkService {
    func networkPlugin(_ network: NetworkRecord) -> NetworkPlugin {
        NetworkPlugin(name: network.driver, perform: configuration.callPlugin)
    }

    /// Makes a network whose driver or whose addresses are a plugin's.
    func createByPlugin(_ request: NetworkRequest, _ state: NetworkState) async throws(NetworkError) -> NetworkRecord {
        try NetworkRequestCheck(request: request, networks: Array(state.networks.values)).check()
        let isRemote = NetworkRecord.isPlugin(request.driver)
        if isRemote {
            try await NetworkPlugin(name: request.driver, perform: configuration.callPlugin).checkScope()
        }
        let leased = request.addressing.isRemote ? try await leasePools(request, state) : request
        do throws(NetworkError) {
            try checkName(leased, state)
            let network = try create(leased, isSubnetChosen: request.subnet != nil, state)
            guard isRemote else { return network }
            do throws(NetworkError) { try await networkPlugin(network).create(network) } catch {
                removeQuietly(network, state)
                throw error
            }
            return network
        } catch {
            if leased.addressing.isRemote { giveBack(pools: leased) }
            throw error
        }
    }

    /// After a network has been forgotten. What a plugin says to that changes nothing.
    func deleteByPlugin(_ network: NetworkRecord) async {
        if network.isConfigOnly { return }
        if network.isRemote {
            let plugin = networkPlugin(network)
            tell(network.driver) { () throws(NetworkError) in try await plugin.delete(network.id) }
            await telling[network.driver]?.value
        }
        if network.addressing.isRemote {
            giveBack(pools: network)
            await telling[network.addressing.driver]?.value
        }
    }

    // MARK: Endpoints

    /// With an endpoint if plugins have a part in it, which have then done theirs.
    ///
    /// - Parameter isFirst: the container has no namespace yet.
    func prepared(
        _ request: EndpointRequest, isFirst: Bool, _ state: NetworkState
    ) async throws(NetworkError) -> EndpointRequest {
        guard let network = try? state.network(request.mode), network.addressing.isRemote || network.isRemote,
            !network.isConfigOnly
        else { return request }
        try checkWantedAddresses(request, network)
        var prepared = request
        var endpoint = newEndpoint(request, network)
        try state.save(endpoint)
        do throws(NetworkError) {
            if network.addressing.isRemote {
                try await leaseAddresses(&endpoint, request, network, state)
            } else {
                try allocateAddresses(&endpoint, request, network, state)
                try state.save(endpoint)
            }
            if network.isRemote {
                if isFirst { _ = try namespaces.create(request.containerID, owner: request.owner) }
                prepared.link = try await join(&endpoint, request, network, state)
            }
        } catch {
            release(endpoint, state)
            if isFirst { removeNamespace(request.containerID) }
            throw error
        }
        prepared.prepared = endpoint
        return prepared
    }

    /// Has the network's plugin make the interface.
    private func join(
        _ endpoint: inout EndpointRecord, _ request: EndpointRequest, _ network: NetworkRecord, _ state: NetworkState
    ) async throws(NetworkError) -> PluginLink {
        await telling[network.driver]?.value
        let plugin = networkPlugin(network)
        endpoint.macAddress = request.macAddress
        endpoint.pluginStage = .created  // what fails half-way is undone, too
        try state.save(endpoint)
        try await plugin.create(&endpoint, request)
        endpoint.pluginStage = .joined
        try state.save(endpoint)
        let link = try await plugin.join(endpoint, sandbox: namespaces.path(endpoint.containerID).string)
        endpoint.hostLink = link.source
        (endpoint.gateway, endpoint.gateway6) = (link.gateway, link.gateway6)
        endpoint.refusesWayOut = link.refusesWayOut
        try state.save(endpoint)
        return link
    }

    /// Tells plugins that an endpoint is no more; its interface goes back to where it was taken from.
    func undoByPlugin(_ endpoint: EndpointRecord, on network: NetworkRecord) {
        if network.isRemote, endpoint.pluginStage != .unknown {
            returnLink(endpoint)
            let plugin = networkPlugin(network)
            tell(network.driver) { () throws(NetworkError) in try await plugin.forget(endpoint) }
        }
        if network.addressing.isRemote { giveBack(endpoint, on: network) }
    }

    /// A namespace that is gone has taken its virtual links along; the kernel brings back the others itself.
    private func returnLink(_ endpoint: EndpointRecord) {
        guard !endpoint.hostLink.isEmpty, !endpoint.interface.isEmpty,
            var inside = try? namespaces.open(endpoint.containerID),
            let own = try? LinuxSystem.open(FilePath("/proc/thread-self/ns/net"), O_RDONLY),
            let link = try? inside.netlink.link(named: endpoint.interface)
        else { return }
        let number = own.raw
        try? inside.netlink.run([
            .setLink(index: link.index, up: false),
            .setLink(index: link.index, name: endpoint.hostLink, namespaceFD: number),
        ])
    }

    /// Tells a plugin something in the background, after what it has been told before.
    func tell(_ plugin: String, _ body: @escaping @Sendable () async throws(NetworkError) -> Void) {
        let earlier = telling[plugin]
        let warn = configuration.warn
        // Owned by `telling`, and ends with the plugin's answers, for which there is a limit.
        telling[plugin] = Task {
            await earlier?.value
            do throws(NetworkError) { try await body() } catch { warn("tell plugin \(plugin): \(error)") }
        }
    }

    // MARK: The way out

    /// A container on networks of plugins that lead nowhere gets one more interface, on a bridge that all such containers
    /// have in common, as docker does: what it publishes is reached there. Returns the ports.
    func keepWayOut(
        _ request: EndpointRequest, _ state: NetworkState
    ) async throws(NetworkError) -> [BoundPort] {
        let endpoints = state.endpoints(of: request.containerID)
        func network(_ endpoint: EndpointRecord) -> NetworkRecord? { state.networks[endpoint.networkID] }
        let wayOut = endpoints.first { network($0)?.name == NetworkRecord.wayOut }
        let others = endpoints.filter { $0.id != wayOut?.id }
        let leadsOut = others.contains { $0.gateway != nil || $0.gateway6 != nil }
        let needsOne = others.contains { endpoint in
            guard let network = network(endpoint) else { return false }
            return network.isRemote && !network.isInternal && !endpoint.refusesWayOut
        }
        if let wayOut {
            if leadsOut || !needsOne {
                try movePorts(of: request.containerID, leaving: wayOut.id, state)
                release(state.endpoints[wayOut.id] ?? wayOut, state)
                var inside = try namespaces.open(request.containerID)
                do throws(NetlinkError) {
                    try inside.netlink.run(.deleteLink(wayOut.interface).tolerating(.noSuchDevice))
                    try restoreRoutes(others, state, &inside.netlink)
                } catch {
                    throw NetworkError(error)
                }
            }
            return []
        }
        if leadsOut || !needsOne { return [] }
        var wanted = EndpointRequest(
            containerID: request.containerID, containerName: request.containerName, mode: NetworkRecord.wayOut)
        wanted.ports = request.ports
        wanted.isWithoutIPv6 = request.isWithoutIPv6
        if (try? state.network(NetworkRecord.wayOut)) == nil {
            var bridge = NetworkRequest(name: NetworkRecord.wayOut)
            bridge.options = ["com.docker.network.bridge.enable_icc": "false"]
            _ = try await create(bridge)
        }
        return try connect(wanted, try state.network(NetworkRecord.wayOut), endpoints, state).ports
    }
}

extension NetworkRecord {
    /// docker's name for the network of `keepWayOut`.
    static let wayOut = "docker_gwbridge"

    /// Whether no driver of ours has this name.
    package static func isPlugin(_ driver: String) -> Bool {
        !["", "bridge", "host", "null", "overlay"].contains(driver) && !ParentOptions.drivers.contains(driver)
    }

    /// A plugin makes it.
    package var isRemote: Bool { NetworkRecord.isPlugin(driver) }
}

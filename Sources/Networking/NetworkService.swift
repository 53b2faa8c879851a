// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Threads

/// The networks of one daemon and the containers on them.
///
/// All work is done on one thread of its own, in order: netlink, nftables and SQLite calls block for a millisecond or
/// two each, which the cooperative pool must not.
///
///     ContainerService ── attach / detach / reconcile ──▶ NetworkService
///                                                           ├─ NetworkStore       records in SQLite
///                                                           ├─ NetworkNamespaces  <exec-root>/netns/<id>
///                                                           ├─ BridgeDevice       links, addresses (Netlink)
///                                                           ├─ PortReservations   sockets that hold host ports
///                                                           ├─ PortProxy          ports on IPv6 that no rule carries
///                                                           ├─ Firewall           our own nftables tables
///                                                           └─ NameServer         127.0.0.11 in containers
package actor NetworkService {
    private let thread = SerialThread("swrun.network")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    let configuration: NetworkServiceConfiguration
    let namespaces: NetworkNamespaces
    let nameServer = NameServer()
    var opened: NetworkState?
    var isWatching = false
    /// When rules that another program had removed were put back last, and whether that is to happen again soon.
    var lastRestoration: ContinuousClock.Instant?
    var isRestorationPlanned = false
    /// What plugins are being told, by plugin.
    var telling: [String: Task<Void, Never>] = [:]

    package init(_ configuration: NetworkServiceConfiguration) {
        self.configuration = configuration
        namespaces = NetworkNamespaces(execRoot: configuration.execRoot)
    }

    /// Connects a container that is about to start. On failure nothing is left behind.
    package func attach(_ wanted: EndpointRequest) async throws(NetworkError) -> NetworkAttachment {
        let state = try open()
        nameServer.end(wanted.containerID)
        for old in state.endpoints(of: wanted.containerID) { release(old, state) }
        let request = try await prepared(wanted, isFirst: true, state)
        do throws(NetworkError) {
            return try await opened(try attach(request, state), request, state)
        } catch {
            for endpoint in state.endpoints(of: wanted.containerID) { release(endpoint, state) }
            if request.link != nil { removeNamespace(wanted.containerID) }
            throw error
        }
    }

    /// With what its ports need where the network is a plugin's.
    func opened(
        _ attachment: NetworkAttachment, _ request: EndpointRequest, _ state: NetworkState
    ) async throws(NetworkError) -> NetworkAttachment {
        guard request.link != nil || attachment.leadsOut, let endpoint = state.endpoints[attachment.endpointID],
            let network = state.networks[endpoint.networkID]
        else { return attachment }
        if request.link != nil, attachment.leadsOut {
            try await networkPlugin(network).openPorts(endpoint, request)
            if var open = state.endpoints[endpoint.id] {
                open.pluginStage = .opened
                try state.save(open)
            }
        }
        var result = attachment
        result.ports += try await keepWayOut(request, state)
        return result
    }

    private func attach(
        _ request: EndpointRequest, _ state: NetworkState
    ) throws(NetworkError) -> NetworkAttachment {
        switch request.mode {
        case "none": return try attachNone(request, state)
        case "host": return try attachHost(request, state)
        case let mode where mode.hasPrefix("container:"):
            return try join(String(mode.dropFirst("container:".count)), request, state)
        case "", "default", "bridge":
            // Without a default network such containers have no network at all, as dockerd's with --bridge=none.
            if configuration.bridge == "none" { return try attachNone(request, state) }
            return try attachInterface(request, try state.network("bridge"), state)
        default:
            let network = try state.network(request.mode)
            guard !network.isConfigOnly else { throw NetworkError.configurationOnly }
            switch network.driver {
            case "null": return try attachNone(request, state)
            case "host": return try attachHost(request, state)
            default: return try attachInterface(request, network, state)
            }
        }
    }

    /// Ends what `attach` made: published ports, address, namespace. A container that is not attached is fine.
    package func detach(container id: String) {
        do throws(NetworkError) {
            let state = try open()
            for endpoint in state.endpoints(of: id) { release(endpoint, state) }
        } catch {
            configuration.warn("detach container \(id): \(error)")
        }
        removeNamespace(id)
    }

    func removeNamespace(_ id: String) {
        nameServer.end(id)
        do throws(NetworkError) { try namespaces.remove(id) } catch { configuration.warn("\(error)") }
    }

    /// Opens the records at the first use, and sees to it that the default network is among them.
    func open() throws(NetworkError) -> NetworkState {
        if let opened { return opened }
        let state = try NetworkState(configuration)
        try ensureDefaultNetwork(state)
        opened = state
        return state
    }
}

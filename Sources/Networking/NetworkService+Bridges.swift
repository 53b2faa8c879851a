// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// Bridges and rules: made when needed, checked at each start, removed when nobody is left.
extension NetworkService {
    /// Makes the kernel agree with the records, whatever happened meanwhile: a killed daemon, a reboot, a flush of the
    /// firewall. `running` are the containers whose processes live; all others lose their endpoints.
    package func reconcile(running: Set<String>) throws(NetworkError) {
        let state = try open()
        for endpoint in state.endpoints.values where !running.contains(endpoint.containerID) {
            release(endpoint, state)
            removeNamespace(endpoint.containerID)
        }
        for id in namespaces.list() where !running.contains(id) { removeNamespace(id) }
        for endpoint in state.endpoints.values { reserveAgain(endpoint, state) }
        for network in state.networks.values where network.hasInterfaces {
            do throws(NetworkError) { try ensure(network, state) } catch {
                configuration.warn("network \(network.name): \(error)")
            }
            if network.driver == "bridge" { removeStrayPorts(network, state) }
        }
        do throws(NetworkError) { try applyFirewall(state) } catch { configuration.warn("firewall: \(error)") }
        restoreNames(state)
        if state.firewall.othersDropForwarded() {
            configuration.warn(
                "the host's firewall drops forwarded packets (iptables -P FORWARD DROP, as docker does): containers may "
                    + "reach nothing until it allows \(configuration.bridge), e.g. with iptables -I DOCKER-USER -i "
                    + "\(configuration.bridge) -j ACCEPT and -o \(configuration.bridge) -j ACCEPT")
        }
        watchFirewall(state)
    }

    /// Puts our rules back whenever another program removes any of them (`nft flush ruleset`, a firewall's reload).
    private func watchFirewall(_ state: NetworkState) {
        guard configuration.firewall, !isWatching else { return }
        do throws(NetlinkError) {
            let monitor = try NFTablesMonitor()
            isWatching = true
            let table = configuration.tableName
            // Ends with the process: the thread sleeps in recv(2) until rules change.
            monitor.start { [weak self] change in
                guard change.removesFrom(table: table) else { return }
                Task { await self?.restoreFirewall(after: change) }  // owned by nobody: one short call ends it
            }
        } catch {
            configuration.warn("watch the firewall: \(error)")
        }
    }

    /// At most one restoration a second, however often another program removes what we put back. Since each of our own
    /// transactions ends before this runs on the same thread, it is known as ours here.
    private func restoreFirewall(after change: NFTablesChange) async {
        guard let state = opened, !state.firewall.isOwn(change), !isRestorationPlanned else { return }
        if let next = lastRestoration?.advanced(by: .seconds(1)), next > .now {
            isRestorationPlanned = true
            try? await Task.sleep(until: next, clock: .continuous)
            isRestorationPlanned = false
        }
        lastRestoration = .now
        do throws(NetworkError) {
            try state.firewall.restore()
            configuration.warn("another program removed our firewall rules: they are back")
        } catch {
            configuration.warn("another program removed our firewall rules: \(error)")
        }
    }

    /// Removes what no longer serves anyone, for a daemon that ends while no container runs: rules, and bridges that
    /// we made. They come back at the next start.
    package func tearDown() {
        guard let state = try? open(), state.endpoints.isEmpty else { return }
        do throws(NetworkError) { try state.firewall.remove() } catch {
            configuration.warn("remove the firewall: \(error)")
        }
        do throws(NetworkError) {
            for network in state.networks.values where network.driver == "bridge" {
                for port in try state.bridges.ports(of: network.bridge) { try state.bridges.removeLink(port) }
                try state.bridges.removeIfOurs(network.bridge)
            }
        } catch {
            configuration.warn("remove networks: \(error)")
        }
    }

    /// The record of the network `bridge`, made at the first start; its subnet follows `--bip` and an existing bridge.
    func ensureDefaultNetwork(_ state: NetworkState) throws(NetworkError) {
        let existing = state.networks.values.first { $0.name == "bridge" }
        guard configuration.bridge != "none" else {
            if let existing { try state.forgetNetwork(existing.id) }
            return
        }
        var network =
            existing ?? NetworkRecord(id: randomIdentifier(), name: "bridge", driver: "bridge", created: .now)
        let address = try defaultBridgeAddress(network, state)
        network.bridge = configuration.bridge
        network.subnet = address.network
        network.gateway = address.address
        network.addressRange = configuration.addressRange
        network.reserved = configuration.defaultGateway.map { ["DefaultGatewayIPv4": $0] } ?? [:]
        try checkRange(network)
        network.ipv6 = try defaultIPv6(network, state)
        network.options = defaultNetworkOptions(state)
        if network != existing { try state.save(network) }
        if let old = existing?.ipv6 { removeAddress(of: old, from: network, state) }
    }

    /// Takes an earlier `--fixed-cidr-v6` off the default bridge, unless a container that runs has its addresses from it.
    private func removeAddress(of old: IPv6Network, from network: NetworkRecord, _ state: NetworkState) {
        guard let address = old.bridgeAddress, address.address != network.ipv6?.bridgeAddress?.address,
            !state.endpoints(on: network).contains(where: { $0.gateway6 == old.gateway })
        else { return }
        do throws(NetworkError) { try state.bridges.remove(address, from: network.bridge) } catch {
            configuration.warn("take address \(address) off \(network.bridge): \(error)")
        }
    }

    private func defaultIPv6(_ network: NetworkRecord, _ state: NetworkState) throws(NetworkError) -> IPv6Network? {
        guard let wanted = configuration.ipv6 else { return nil }
        let others = state.networks.values.filter { $0.id != network.id }.compactMap(\.ipv6?.subnet)
        return try IPv6Network(wanted, networkID: network.id, others: others)
    }

    /// What docker's clients read off its default network.
    private func defaultNetworkOptions(_ state: NetworkState) -> [String: String] {
        let prefix = "com.docker.network.bridge."
        return [
            prefix + "default_bridge": "true", prefix + "name": configuration.bridge,
            prefix + "enable_icc": String(configuration.interContainerCommunication),
            prefix + "enable_ip_masquerade": String(configuration.ipMasquerade),
            prefix + "host_binding_ipv4": configuration.hostBinding?.description ?? "0.0.0.0",
            NetworkRecord.mtuOption: String(configuration.mtu ?? state.bridges.uplinkMTU()),
        ]
    }

    private func defaultBridgeAddress(
        _ network: NetworkRecord, _ state: NetworkState
    ) throws(NetworkError) -> IPv4Prefix {
        if let wanted = configuration.bridgeAddress { return wanted }
        if let found = try state.bridges.find(configuration.bridge)?.address,
            configuration.addressRange.map({ found.overlaps($0) }) != false
        {
            return found
        }
        if let range = configuration.addressRange { return IPv4Prefix(range.firstHost, length: range.length) ?? range }
        let occupied = try state.bridges.occupiedPrefixes() + otherSubnets(network, state)
        if let subnet = network.subnet, let gateway = network.gateway,
            let known = IPv4Prefix(gateway, length: subnet.length),
            !state.endpoints(on: network).isEmpty || !occupied.contains(where: { $0.overlaps(subnet) })
        {
            return known
        }
        let subnet = try SubnetChooser(pools: configuration.addressPools).choose(avoiding: occupied)
        guard let address = IPv4Prefix(subnet.firstHost, length: subnet.length) else { return subnet }
        return address
    }

    private func checkRange(_ network: NetworkRecord) throws(NetworkError) {
        guard let subnet = network.subnet else { return }
        if let range = network.addressRange, !(subnet.contains(range.first) && subnet.contains(range.last)) {
            throw NetworkError(
                .invalidArgument, "--fixed-cidr \(range) is not in the default bridge's subnet \(subnet)")
        }
        if let gateway = configuration.defaultGateway, !subnet.contains(gateway) {
            throw NetworkError(.invalidArgument, "default gateway ip must be part of the network")
        }
    }

    private func otherSubnets(_ network: NetworkRecord, _ state: NetworkState) -> [IPv4Prefix] {
        state.networks.values.filter { $0.id != network.id }.compactMap(\.subnet)
    }

    /// What the network's containers are connected to: its bridge, or a link of the host's. Rules follow by
    /// `applyFirewall`.
    func ensure(_ network: NetworkRecord, _ state: NetworkState) throws(NetworkError) {
        if network.isRemote { return }
        guard let parent = network.parentOptions else { return try ensureBridge(network, state) }
        if try state.bridges.ensureParent(parent), !network.hasOwnParent {
            var changed = network
            changed.hasOwnParent = true
            try state.save(changed)
        }
    }

    /// The bridge with its address, and forwarding through the host.
    private func ensureBridge(_ network: NetworkRecord, _ state: NetworkState) throws(NetworkError) {
        let options = network.bridgeOptions
        let address = network.gateway.flatMap { gateway in
            network.subnet.flatMap { IPv4Prefix(gateway, length: $0.length) }
        }
        let wanted = options?.mode == .isolated || options?.inhibitsIPv4 == true ? nil : address
        if network.ipv6 == nil, let bridge = try state.bridges.find(network.bridge), bridge.address == wanted,
            bridge.link.isUp
        {
            return
        }
        let mtu = network.mtu ?? configuration.mtu ?? state.bridges.uplinkMTU()
        let identity =
            address?.address
            ?? network.ipv6.map { IPv4Address(rawValue: UInt32(truncatingIfNeeded: $0.gateway.rawValue >> 64)) }
        try state.bridges.ensure(
            network.bridge, hardwareAddress: identity.map { MACAddress(for: $0) } ?? .random(), address: wanted,
            address6: options?.mode6 == .isolated ? nil : network.ipv6?.bridgeAddress, mtu: mtu)
        enableForwarding("IPv4", "net/ipv4/ip_forward")
        if network.ipv6 != nil { enableForwarding("IPv6", "net/ipv6/conf/all/forwarding") }
        if isRestricted(network), canRestrictByRules { state.bridges.showBridgedPackets() }
        try applyFirewall(state)
    }

    /// Whether rules see what bridges carry. Where they do not, the bridges' ports are isolated, and links open nothing.
    var canRestrictByRules: Bool { configuration.firewall && BridgeDevices.canShowBridgedPackets }

    private func enableForwarding(_ family: String, _ name: String) {
        let file = FilePath("/proc/sys/\(name)")
        guard configuration.ipForward, let value = try? readText(file), value != "1" else { return }
        do throws(SysError) {
            try writeText(file, "1")
            configuration.warn("turned on \(family) forwarding (\(name)), which containers' networks need")
        } catch {
            configuration.warn("turn on \(family) forwarding: \(error.description)")
        }
    }

    private func reserveAgain(_ endpoint: EndpointRecord, _ state: NetworkState) {
        for port in endpoint.ports {
            do throws(NetworkError) { try state.ports.hold(port) } catch {
                configuration.warn("published port of \(endpoint.containerName): \(error)")
            }
        }
        startProxies(endpoint, state)
    }

    /// Ports of our bridges that belong to no endpoint: left by a daemon that was killed half-way.
    private func removeStrayPorts(_ network: NetworkRecord, _ state: NetworkState) {
        let known = Set(state.endpoints(on: network).map(\.hostLink))
        for name in (try? state.bridges.ports(of: network.bridge)) ?? [] where name.hasPrefix("veth") {
            if !known.contains(name) { try? state.bridges.removeLink(name) }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// How each mode connects a container. Each function either succeeds or leaves nothing behind.
extension NetworkService {
    /// A namespace with nothing but `lo`, which has IPv6 as docker's does: there are no neighbours to take it from.
    func attachNone(_ request: EndpointRequest, _ state: NetworkState) throws(NetworkError) -> NetworkAttachment {
        let network = try state.network("none")
        let endpoint = newEndpoint(request, network)
        var handle = try namespaces.create(request.containerID, owner: request.owner)
        do throws(NetlinkError) {
            // A kernel without IPv6 has no such files.
            try? inNetworkNamespace(namespaces.path(request.containerID)) { () throws(SysError) in
                for scope in ["all", "default"] {
                    try writeText(FilePath("/proc/sys/net/ipv6/conf/\(scope)/disable_ipv6"), "0")
                }
            }
            try handle.netlink.run(.setLink(index: loopbackIndex, up: true))
        } catch {
            removeNamespace(request.containerID)
            throw NetworkError(error)
        }
        try state.save(endpoint)
        return attachment(endpoint, network, request, resolvConf: resolvConf(request, filtered: true))
    }

    /// The host's own namespace.
    func attachHost(_ request: EndpointRequest, _ state: NetworkState) throws(NetworkError) -> NetworkAttachment {
        let network = try state.network("host")
        let endpoint = newEndpoint(request, network)
        try state.save(endpoint)
        var result = attachment(endpoint, network, request, resolvConf: resolvConf(request, filtered: false))
        result.netnsPath = nil
        return result
    }

    /// The namespace of another container.
    func join(
        _ other: String, _ request: EndpointRequest, _ state: NetworkState
    ) throws(NetworkError) -> NetworkAttachment {
        guard let theirs = state.endpoints(of: other).first, let network = state.networks[theirs.networkID] else {
            throw NetworkError(.conflict, "cannot join network of a non running container: \(other)")
        }
        let sharesHost = network.driver == "host"
        return NetworkAttachment(
            netnsPath: sharesHost ? nil : namespaces.path(other), usernsPath: namespaces.userPath(other),
            networkName: "", networkID: "", endpointID: "",
            resolvConf: resolvConf(request, filtered: !sharesHost))
    }

    /// A namespace with an interface on the network.
    func attachInterface(
        _ request: EndpointRequest, _ network: NetworkRecord, _ state: NetworkState
    ) throws(NetworkError) -> NetworkAttachment {
        try ensure(network, state)
        var endpoint = newEndpoint(request, network)
        endpoint.interface = try interface(request, network, [])
        let id = request.containerID
        var handle = try request.link == nil ? namespaces.create(id, owner: request.owner) : namespaces.open(id)
        do throws(NetworkError) {
            try connect(&endpoint, request, network, state, &handle)
        } catch {
            release(endpoint, state)
            removeNamespace(request.containerID)
            throw error
        }
        return attachment(endpoint, network, request, resolvConf: resolvConf(request, network))
    }

    /// Address, ports, record, link: in this order, so that what is recorded can be undone from the record.
    func connect(
        _ endpoint: inout EndpointRecord, _ request: EndpointRequest, _ network: NetworkRecord, _ state: NetworkState,
        _ handle: inout NamespaceHandle
    ) throws(NetworkError) {
        let sysctls = try InterfaceSysctl.list(request.driverOptions, on: network)
        try checkWantedAddresses(request, network)
        if request.prepared == nil { try allocateAddresses(&endpoint, request, network, state) }
        giveMACAddress(&endpoint, request, network)
        if request.link == nil { endpoint.hostLink = "veth" + endpoint.id.prefix(8) }
        if network.driver == "bridge" { try publish(&endpoint, request, state) }
        try state.save(endpoint)
        addNames(endpoint, network)
        try allowIPv6(endpoint)
        let gateways = try takeDefaultRoutes(endpoint, state, &handle)
        let isPublished = state.endpoints(of: endpoint.containerID).contains { !$0.ports.isEmpty }
        let port = BridgeDevices.Port(
            hostLink: endpoint.hostLink, interface: endpoint.interface, macAddress: endpoint.macAddress,
            address: endpoint.address, gateway: gateways.ipv4,
            isolated: isRestricted(network) && !canRestrictByRules, hairpin: isPublished,
            address6: endpoint.address6, gateway6: gateways.ipv6,
            linkLocal: request.linkLocal.compactMap { IPv4Prefix($0, length: 16) },
            linkLocal6: request.linkLocal6.compactMap { IPv6Prefix($0, length: 64) })
        if let link = request.link {
            endpoint.macAddress = try state.bridges.take(link, as: port, container: &handle)
            try state.save(endpoint)
        } else if let parent = network.parentOptions {
            try state.bridges.connect(port, to: parent, container: &handle)
        } else {
            try state.bridges.connect(port, bridge: network.bridge, container: &handle)
        }
        try set(sysctls, endpoint)
        if network.hasNames { try serveNames(request.containerID, state) }
        if !endpoint.ports.isEmpty || isRestricted(network) { try applyFirewall(state) }
        guard !endpoint.ports.isEmpty else { return }
        forgetFlows(endpoint)
        startProxies(endpoint, state)
    }

    func allocateAddresses(
        _ endpoint: inout EndpointRecord, _ request: EndpointRequest, _ network: NetworkRecord, _ state: NetworkState
    ) throws(NetworkError) {
        let others = state.endpoints(on: network)
        if network.subnet != nil {
            let allocator = try AddressAllocator(network: network, endpoints: others)
            endpoint.address = try allocator.next(wanted: request.address)
            endpoint.gateway = network.containerGateway
        }
        if let ipv6 = network.ipv6, !request.isWithoutIPv6 {
            let taken = Set(others.compactMap { $0.address6?.address })
            endpoint.address6 = try ipv6.next(wanted: request.address6, taken: taken)
            endpoint.gateway6 = network.containerGateway6
        }
    }

    private func giveMACAddress(
        _ endpoint: inout EndpointRecord, _ request: EndpointRequest, _ network: NetworkRecord
    ) {
        if case .ipvlan? = network.parentOptions?.child { return }  // its parent's MAC address
        if request.link != nil { return }  // the plugin's
        let own = request.macAddress ?? endpoint.macAddress
        endpoint.macAddress = own ?? endpoint.address.map { MACAddress(for: $0.address) } ?? MACAddress.random()
    }

    /// Whether containers on it reach one another at linked ports only.
    func isRestricted(_ network: NetworkRecord) -> Bool {
        guard network.driver == "bridge" else { return false }
        return network.isPredefined
            ? !configuration.interContainerCommunication : network.bridgeOptions?.interContainer == false
    }

    /// What its maker calls the interface, or else the lowest number that the container does not have.
    func interface(
        _ request: EndpointRequest, _ network: NetworkRecord, _ others: [EndpointRecord]
    ) throws(NetworkError) -> String {
        let taken = Set(others.map(\.interface))
        if let wanted = request.driverOptions["com.docker.network.endpoint.ifname"], !wanted.isEmpty {
            guard LinkName.isValid(wanted), wanted != "lo", !taken.contains(wanted) else {
                throw NetworkError(.invalidArgument, "invalid or taken interface name: \(wanted)")
            }
            return wanted
        }
        let prefix = request.link?.prefix ?? network.bridgeOptions?.interfacePrefix ?? "eth"
        var number = 0
        while taken.contains("\(prefix)\(number)") { number += 1 }
        return "\(prefix)\(number)"
    }

    private func set(_ sysctls: [InterfaceSysctl], _ endpoint: EndpointRecord) throws(NetworkError) {
        guard !sysctls.isEmpty else { return }
        do throws(SysError) {
            try inNetworkNamespace(namespaces.path(endpoint.containerID)) { () throws(SysError) in
                for sysctl in sysctls { try writeText(sysctl.path(endpoint.interface), sysctl.value) }
            }
        } catch {
            throw NetworkError(.internal, "set sysctls of \(endpoint.interface): \(error.description)")
        }
    }

    /// Says whether the link that comes next has IPv6: namespaces begin without it. Router advertisements, which any
    /// neighbour can send, are not believed.
    private func allowIPv6(_ endpoint: EndpointRecord) throws(NetworkError) {
        let isAllowed = endpoint.address6 != nil
        guard isAllowed || opened?.endpoints(of: endpoint.containerID).contains(where: { $0.address6 != nil }) == true
        else { return }
        do throws(SysError) {
            try inNetworkNamespace(namespaces.path(endpoint.containerID)) { () throws(SysError) in
                for (name, value) in [("accept_ra", "0"), ("disable_ipv6", isAllowed ? "0" : "1")] {
                    try writeText(FilePath("/proc/sys/net/ipv6/conf/default/\(name)"), value)
                }
            }
        } catch {
            throw NetworkError(.internal, "turn on IPv6 in container \(endpoint.containerName): \(error.description)")
        }
    }

    func checkWantedAddresses(_ request: EndpointRequest, _ network: NetworkRecord) throws(NetworkError) {
        guard request.address != nil || request.address6 != nil else { return }
        var reasons: [String] = []
        if network.isPredefined {
            reasons.append("user specified IP address is supported on user defined networks only")
        }
        let unchosen =
            "user specified IP address is supported only when connecting to networks with user configured subnets"
        if let address = request.address {
            if network.isPredefined || !network.isSubnetChosen {
                reasons.append(unchosen)
            } else if network.subnet?.contains(address) != true {
                reasons.append("no configured subnet or ip-range contain the IP address \(address)")
            }
        }
        if let address = request.address6 {
            if network.isPredefined || network.ipv6 == nil && !network.passesOverIPv6 {
                reasons.append(unchosen)
            } else if let ipv6 = network.ipv6, !ipv6.subnet.contains(address) {
                reasons.append("no configured subnet or ip-range contain the IP address \(address)")
            }
        }
        if !reasons.isEmpty { throw NetworkError(invalidEndpointOn: network, reasons) }
    }

    /// Undoes `connect`, from the record; what is already gone is fine. The links go with the container's namespace,
    /// in the kernel's own time: to wait for that costs 20 ms.
    func release(_ endpoint: EndpointRecord, _ state: NetworkState) {
        do throws(NetworkError) {
            let network = state.networks[endpoint.networkID]
            if let network, let known = state.endpoints[endpoint.id] { undoByPlugin(known, on: network) }
            try state.forgetEndpoint(endpoint.id)
            if !endpoint.ports.isEmpty || network.map(isRestricted) == true { try applyFirewall(state) }
            if !endpoint.ports.isEmpty { forgetFlows(endpoint) }
        } catch {
            configuration.warn("release endpoint of \(endpoint.containerName): \(error)")
        }
        for port in endpoint.ports {
            state.proxy.end(port)
            state.ports.release(port)
        }
        removeNames(endpoint, state)
    }

    func newEndpoint(_ request: EndpointRequest, _ network: NetworkRecord) -> EndpointRecord {
        if let prepared = request.prepared { return prepared }
        var endpoint = EndpointRecord(
            id: randomIdentifier(), containerID: request.containerID, containerName: request.containerName,
            networkID: network.id, aliases: request.aliases)
        (endpoint.exposed, endpoint.linked) = (request.exposed, request.linked)
        endpoint.gatewayPriority = request.gatewayPriority
        if network.hasNames {
            endpoint.names = request.names.isEmpty ? [request.containerName] : request.names
            endpoint.links = request.links
            endpoint.nameservers = request.nameservers
        }
        return endpoint
    }

    func attachment(
        _ endpoint: EndpointRecord, _ network: NetworkRecord, _ request: EndpointRequest, resolvConf: String
    ) -> NetworkAttachment {
        NetworkAttachment(
            netnsPath: namespaces.path(request.containerID), usernsPath: namespaces.userPath(request.containerID),
            networkName: network.name, networkID: network.id, endpointID: endpoint.id, address: endpoint.address,
            gateway: endpoint.gateway,
            address6: endpoint.address6, gateway6: endpoint.gateway6, macAddress: endpoint.macAddress,
            aliases: endpoint.aliases, names: endpoint.names, ports: endpoint.ports,
            resolvConf: resolvConf)
    }

    /// What a container reads on a bridge: the embedded name server where containers have names.
    func resolvConf(_ request: EndpointRequest, _ network: NetworkRecord) -> String {
        guard network.hasNames else { return resolvConf(request, filtered: true) }
        return wantedResolvConf(request).embedded(ResolverSockets.address).text
    }

    private func wantedResolvConf(_ request: EndpointRequest) -> ResolvConf {
        let host = ResolvConf.host().overriding(
            nameservers: configuration.nameservers, search: configuration.searchDomains,
            options: configuration.resolverOptions)
        return host.overriding(
            nameservers: request.nameservers, search: request.searchDomains, options: request.resolverOptions)
    }

    func resolvConf(_ request: EndpointRequest, filtered: Bool) -> String {
        let wanted = wantedResolvConf(request)
        let named = !request.nameservers.isEmpty || !configuration.nameservers.isEmpty
        return (filtered && !named ? wanted.reachableFromContainer() : wanted).text
    }
}

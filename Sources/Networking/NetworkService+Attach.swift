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

    /// A namespace with `eth0` on the network's bridge.
    func attachBridge(
        _ request: EndpointRequest, _ network: NetworkRecord, _ state: NetworkState
    ) throws(NetworkError) -> NetworkAttachment {
        try ensureBridge(network, state)
        var endpoint = newEndpoint(request, network)
        endpoint.interface = "eth0"
        var handle = try namespaces.create(request.containerID, owner: request.owner)
        do throws(NetworkError) {
            try connect(&endpoint, request, network, state, &handle)
        } catch {
            release(endpoint, state)
            removeNamespace(request.containerID)
            throw error
        }
        return attachment(endpoint, network, request, resolvConf: resolvConf(request, network))
    }

    /// Address, link, ports, record: in this order, so that what is recorded can be undone from the record.
    func connect(
        _ endpoint: inout EndpointRecord, _ request: EndpointRequest, _ network: NetworkRecord, _ state: NetworkState,
        _ handle: inout NamespaceHandle
    ) throws(NetworkError) {
        try checkWantedAddresses(request, network)
        let allocator = try AddressAllocator(network: network, endpoints: state.endpoints(on: network))
        let address = try allocator.next(wanted: request.address)
        let mac = request.macAddress ?? MACAddress(for: address.address)
        endpoint.address = address
        endpoint.macAddress = mac
        endpoint.gateway = network.isInternal ? nil : network.gateway
        if let ipv6 = network.ipv6 {
            let taken = Set(state.endpoints(on: network).compactMap { $0.address6?.address })
            endpoint.address6 = try ipv6.next(wanted: request.address6, taken: taken)
            endpoint.gateway6 = network.isInternal ? nil : ipv6.gateway
        }
        endpoint.hostLink = "veth" + endpoint.id.prefix(8)
        try publish(&endpoint, request, state)
        try state.save(endpoint)
        addNames(endpoint, network)
        let hasDefaultRoute = state.endpoints(of: request.containerID).contains {
            $0.id != endpoint.id && $0.gateway != nil
        }
        let isolated =
            network.name == "bridge"
            ? !configuration.interContainerCommunication : network.bridgeOptions?.interContainer == false
        let port = BridgeDevices.Port(
            hostLink: endpoint.hostLink, interface: endpoint.interface, macAddress: mac, address: address,
            gateway: hasDefaultRoute ? nil : endpoint.gateway, isolated: isolated,
            hairpin: !endpoint.ports.isEmpty, address6: endpoint.address6, gateway6: endpoint.gateway6,
            linkLocal: request.linkLocal.compactMap { IPv4Prefix($0, length: 16) })
        try allowIPv6(endpoint)
        try state.bridges.connect(port, bridge: network.bridge, container: &handle)
        if network.hasNames { try serveNames(request.containerID, state) }
        guard !endpoint.ports.isEmpty else { return }
        try applyFirewall(state)
        forgetFlows(endpoint)
        startProxies(endpoint, state)
    }

    /// Says whether the link that comes next has IPv6: namespaces begin without it. Router advertisements, which any
    /// neighbour can send, are not believed.
    private func allowIPv6(_ endpoint: EndpointRecord) throws(NetworkError) {
        let isAllowed = endpoint.address6 != nil
        guard isAllowed || opened?.endpoints(of: endpoint.containerID).contains(where: { $0.address6 != nil }) == true
        else { return }
        let values = [("default/accept_ra", "0"), ("default/disable_ipv6", isAllowed ? "0" : "1")]
        do throws(SysError) {
            try inNetworkNamespace(namespaces.path(endpoint.containerID)) { () throws(SysError) in
                for (name, value) in values + [("lo/disable_ipv6", "0")] {
                    try writeText(FilePath("/proc/sys/net/ipv6/conf/\(name)"), value)
                }
            }
        } catch {
            throw NetworkError(.internal, "turn on IPv6 in container \(endpoint.containerName): \(error.description)")
        }
    }

    private func checkWantedAddresses(_ request: EndpointRequest, _ network: NetworkRecord) throws(NetworkError) {
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
            // Without IPv6 the address is passed over, as docker does where the network was given a pool for it.
            if network.isPredefined {
                reasons.append(unchosen)
            } else if let ipv6 = network.ipv6, !ipv6.subnet.contains(address) {
                reasons.append("no configured subnet or ip-range contain the IP address \(address)")
            }
        }
        if !reasons.isEmpty { throw NetworkError(invalidEndpointOn: network, reasons) }
    }

    /// A client that goes on sending datagrams (a DNS or VPN client) keeps a tracked flow alive: without this its
    /// packets would miss a container that came later, or go to one that is gone. TCP needs none of it.
    private func forgetFlows(_ endpoint: EndpointRecord) {
        let ports = Set(endpoint.ports.filter { $0.proto == .udp }.map(\.hostPort))
        guard !ports.isEmpty, let address = endpoint.address?.address else { return }
        do throws(NetlinkError) {
            var netlink = try NetlinkSocket(.netfilter)
            try netlink.forgetFlows { flow in
                flow.proto == 17 && (flow.answerer == address || ports.contains(flow.destinationPort))
            }
        } catch {
            configuration.warn("forget tracked flows of \(endpoint.containerName): \(error)")
        }
    }

    /// Reserves the host ports; docker's words when one is not free.
    private func publish(
        _ endpoint: inout EndpointRecord, _ request: EndpointRequest, _ state: NetworkState
    ) throws(NetworkError) {
        guard !request.ports.isEmpty else { return }
        guard configuration.firewall else {
            throw NetworkError(.unimplemented, "ports cannot be published with --iptables=false")
        }
        do throws(NetworkError) {
            for mapping in request.ports {
                endpoint.ports += try state.ports.reserve(mapping, on: hosts(of: mapping, endpoint, state))
            }
            try allowLoopback(on: state.networks[endpoint.networkID]?.bridge ?? "")
        } catch {
            throw NetworkError(
                error.kind,
                "driver failed programming external connectivity on endpoint \(request.containerName) "
                    + "(\(endpoint.id)): \(error.message)")
        }
    }

    /// Where a mapping without an address is published: on all addresses of both families, as far as the host has them.
    private func hosts(
        of mapping: PortMapping, _ endpoint: EndpointRecord, _ state: NetworkState
    ) -> [HostAddress] {
        if let wanted = mapping.hostIP { return [wanted] }
        if let binding = state.networks[endpoint.networkID]?.bridgeOptions?.hostBinding { return [.ipv4(binding)] }
        let isReachable = endpoint.address6 != nil || configuration.userlandProxy && mapping.proto != .sctp
        return isReachable && state.ports.hasIPv6 ? [.any, .anyIPv6] : [.any]
    }

    /// Serves the ports on the host's IPv6 addresses that no rule of the firewall can lead to the container.
    func startProxies(_ endpoint: EndpointRecord, _ state: NetworkState) {
        guard configuration.userlandProxy else { return }
        for port in endpoint.ports where port.hostIP.isIPv6 {
            guard let socket = state.ports.socket(port),
                let target = endpoint.target(ofIPv6: true) ?? endpoint.target(ofIPv6: false)
            else { continue }
            do throws(SysError) {
                try state.proxy.serve(port, socket, target: SocketAddress(target, port: port.containerPort))
            } catch {
                configuration.warn("serve port \(port.hostPort) of \(endpoint.containerName): \(error.description)")
            }
        }
    }

    /// Lets connections from the host's 127.0.0.1 leave through this bridge (and no other link); our rules keep
    /// containers from reaching the host's loopback by the same door.
    private func allowLoopback(on bridge: String) throws(NetworkError) {
        let file = FilePath("/proc/sys/net/ipv4/conf/\(bridge)/route_localnet")
        do throws(SysError) {
            if try readText(file) != "1" { try writeText(file, "1") }
        } catch {
            throw NetworkError(.internal, "allow loopback connections to \(bridge): \(error.description)")
        }
    }

    /// Undoes `connect`, from the record; what is already gone is fine. The links go with the container's namespace,
    /// in the kernel's own time: to wait for that costs 20 ms.
    func release(_ endpoint: EndpointRecord, _ state: NetworkState) {
        do throws(NetworkError) {
            try state.forgetEndpoint(endpoint.id)
            if !endpoint.ports.isEmpty {
                try applyFirewall(state)
                forgetFlows(endpoint)
            }
        } catch {
            configuration.warn("release endpoint of \(endpoint.containerName): \(error)")
        }
        for port in endpoint.ports {
            if port.hostIP.isIPv6 { state.proxy.end(port) }
            state.ports.release(port)
        }
        removeNames(endpoint, state)
    }

    func newEndpoint(_ request: EndpointRequest, _ network: NetworkRecord) -> EndpointRecord {
        var endpoint = EndpointRecord(
            id: randomIdentifier(), containerID: request.containerID, containerName: request.containerName,
            networkID: network.id, aliases: request.aliases)
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

// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Netlink
import Networking

// The container's place on its networks.
extension ContainerService {
    func attachNetwork(_ record: ContainerRecord) async throws(EngineError) -> NetworkAttachment {
        var joined: Container?
        if record.networkMode.hasPrefix("container:") {
            let named = try find(String(record.networkMode.dropFirst("container:".count)))
            if named.id == record.id { throw .internal("cannot join own network namespace") }
            // One that has just ended may have its namespace still.
            guard named.state.isRunning else {
                throw .conflict("cannot join network of a non running container: \(named.id)")
            }
            joined = try networkSource(named)
        }
        let owner = try networkOwner(record.hostConfig)
        do throws(NetworkError) {
            var request = try endpointRequest(record, await firstNetworkNames(record))
            request.owner = owner
            if let joined { request.mode = "container:" + joined.id }
            return try await networks.attach(request)
        } catch {
            throw EngineError(error)
        }
    }

    /// The container whose network namespace this one has: `--network container:X` may name one that shares another's.
    func networkSource(_ container: Container) throws(EngineError) -> Container {
        var source = container
        for _ in 0..<64 {
            guard source.record.networkMode.hasPrefix("container:") else { return source }
            source = try find(String(source.record.networkMode.dropFirst("container:".count)))
        }
        throw .internal("cannot join own network namespace")
    }

    /// What clients may call the network that a start attaches first: they may name it in one way as the container's
    /// network and in another where they say more about it.
    private func firstNetworkNames(_ record: ContainerRecord) async -> [String] {
        let mode = record.startNetwork
        let network = try? await networks.inspect(mode).network
        return ContainerRecord.networkKeys(mode) + (network.map { [$0.name, $0.id] } ?? [])
    }

    private func endpointRequest(
        _ record: ContainerRecord, _ names: [String]
    ) throws(NetworkError) -> EndpointRequest {
        let mode = record.config.networkDisabled ? "none" : record.startNetwork
        var request = EndpointRequest(containerID: record.id, containerName: record.name, mode: mode)
        request.ports = try portMappings(record)
        request.exposed = record.config.exposedPorts + request.ports.map { "\($0.containerPort)/\($0.proto.rawValue)" }
        request.linked = record.hostConfig.list("Links").map { ContainerLink($0).name }
        let settings = record.endpointSettings(names)
        try apply(settings, of: record, to: &request)
        let mac = record.config.json["MacAddress"]?.string ?? ""
        if request.macAddress == nil, !mac.isEmpty { request.macAddress = try parseMAC(mac) }
        return request
    }

    /// Takes over what a client says about an endpoint (docker's EndpointConfig).
    func apply(
        _ settings: JSONValue, of record: ContainerRecord, to request: inout EndpointRequest
    ) throws(NetworkError) {
        request.aliases = settings["Aliases"]?.strings ?? []
        request.names = record.networkNames(aliases: request.aliases)
        request.links = links(settings["Links"]?.strings ?? [])
        request.nameservers = record.hostConfig.list("Dns")
        request.searchDomains = record.hostConfig.list("DnsSearch")
        request.resolverOptions = record.hostConfig.list("DnsOptions")
        let address = settings["IPAMConfig"]?["IPv4Address"]?.string ?? ""
        if !address.isEmpty {
            guard let parsed = IPv4Address(address) else {
                throw NetworkError(.invalidArgument, "invalid IPv4 address: \(address)")
            }
            request.address = parsed
        }
        let address6 = settings["IPAMConfig"]?["IPv6Address"]?.string ?? ""
        if !address6.isEmpty {
            guard let parsed = IPv6Address(address6), !parsed.isMappedIPv4 else {
                throw NetworkError(.invalidArgument, "invalid IPv6 address: \(address6)")
            }
            request.address6 = parsed
        }
        for text in settings["IPAMConfig"]?["LinkLocalIPs"]?.strings ?? [] { try addLinkLocal(text, to: &request) }
        let mac = settings["MacAddress"]?.string ?? ""
        if !mac.isEmpty { request.macAddress = try parseMAC(mac) }
        request.driverOptions =
            settings["DriverOpts"]?.stringPairs.map {
                Dictionary($0.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
            } ?? [:]
        request.gatewayPriority = Int(settings["GwPriority"]?.int ?? 0)
        request.isWithoutIPv6 = record.isWithoutIPv6
    }

    private func addLinkLocal(_ text: String, to request: inout EndpointRequest) throws(NetworkError) {
        if let address = IPv4Address(text) {
            request.linkLocal.append(address)
            if address.isLinkLocal { return }
        } else if let address = IPv6Address(text) {
            request.linkLocal6.append(address)
            if address.isLinkLocal { return }
        } else {
            throw NetworkError(.invalidArgument, "invalid link-local IP address: \(text)")
        }
        throw NetworkError(.invalidArgument, "invalid link local IP address: \(text)")
    }

    /// `--link NAME:ALIAS` on a user-defined network: what this container calls another there.
    private func links(_ texts: [String]) -> [String: String] {
        var links: [String: String] = [:]
        for text in texts {
            let link = ContainerLink(text)
            links[link.alias.lowercased()] = (try? find(link.name))?.record.name ?? link.name
        }
        return links
    }

    private func parseMAC(_ text: String) throws(NetworkError) -> MACAddress {
        guard let mac = MACAddress(text) else {
            throw NetworkError(.invalidArgument, "invalid MAC address: \(text)")
        }
        return mac
    }

    func portMappings(_ record: ContainerRecord) throws(NetworkError) -> [PortMapping] {
        let mode = record.hostConfig.networkMode
        if mode == "host" || mode == "none" || mode.hasPrefix("container:") { return [] }
        var mappings: [PortMapping] = []
        let bindings = record.hostConfig["PortBindings"].pairs
        for (key, list) in bindings {
            for binding in list.array ?? [] {
                mappings.append(
                    try PortMapping(
                        binding: key, hostIP: binding["HostIp"]?.string ?? "",
                        hostPort: binding["HostPort"]?.string ?? ""))
            }
        }
        if record.hostConfig.flag("PublishAllPorts") {
            for port in record.config.exposedPorts where !bindings.contains(where: { $0.key == port }) {
                mappings.append(try PortMapping(binding: port, hostIP: "", hostPort: ""))
            }
        }
        return mappings
    }

    /// The further networks of the request (docker's clients since API 1.44 may name several).
    func connectOtherNetworks(
        _ record: ContainerRecord, _ first: NetworkAttachment
    ) async throws(EngineError) -> NetworkView {
        var view = NetworkView()
        view.sandboxKey = first.netnsPath?.string ?? ""
        let names = ContainerRecord.networkKeys(record.startNetwork) + [first.networkName, first.networkID]
        if !record.isOffAllNetworks { view.add(first, settings: record.endpointSettings(names)) }
        let isJoined = { (name: String) in name.hasPrefix("container:") || ["host", "none"].contains(name) }
        for endpoint in record.endpoints where !names.contains(endpoint.key) && !isJoined(endpoint.key) {
            do throws(NetworkError) {
                var request = EndpointRequest(
                    containerID: record.id, containerName: record.name, mode: endpoint.key)
                try apply(endpoint.value, of: record, to: &request)
                view.add(try await networks.connect(request), settings: endpoint.value)
            } catch {
                throw EngineError(error)
            }
        }
        return view
    }
}

extension ContainerRecord {
    /// What other containers on a user-defined network may call it, in docker's order.
    func networkNames(aliases: [String]) -> [String] {
        var names: [String] = []
        for candidate in [name] + aliases + [shortID, config.hostname] where !candidate.isEmpty {
            if !names.contains(candidate) { names.append(candidate) }
        }
        return names
    }

    /// What requests call the network of a mode: the default one has two names.
    static func networkKeys(_ mode: String) -> [String] { mode == "bridge" ? [mode, "default"] : [mode] }

    /// IPv6 is switched off in it, so that it gets no such addresses.
    var isWithoutIPv6: Bool {
        hostConfig.map("Sysctls").contains { $0.key == "net.ipv6.conf.all.disable_ipv6" && $0.value == "1" }
    }

    /// What the request says about its endpoint on the network that has these names.
    func endpointSettings(_ names: [String]) -> JSONValue {
        endpoints.first { names.contains($0.key) }?.value ?? .null
    }
}

extension NetworkView {
    /// Adds an attachment; that of a joined namespace has no network of its own.
    mutating func add(_ attachment: NetworkAttachment, settings: JSONValue) {
        guard !attachment.networkName.isEmpty else { return }
        let aliases = attachment.aliases.isEmpty ? JSONValue.null : .strings(attachment.aliases)
        networks.append(
            .init(
                attachment.networkName,
                [
                    "IPAMConfig": settings["IPAMConfig"] ?? .null, "Links": settings["Links"] ?? .null,
                    "Aliases": aliases,
                    "MacAddress": .string(attachment.macAddress?.description ?? ""),
                    "DriverOpts": settings["DriverOpts"] ?? .null, "GwPriority": settings["GwPriority"] ?? 0,
                    "NetworkID": .string(attachment.networkID), "EndpointID": .string(attachment.endpointID),
                    "Gateway": .string(attachment.gateway?.description ?? ""),
                    "IPAddress": .string(attachment.ipAddress),
                    "IPPrefixLen": .int(Int64(attachment.prefixLength)),
                    "IPv6Gateway": .string(attachment.gateway6?.description ?? ""),
                    "GlobalIPv6Address": .string(attachment.address6?.address.description ?? ""),
                    "GlobalIPv6PrefixLen": .int(Int64(attachment.address6?.length ?? 0)),
                    "DNSNames": attachment.names.isEmpty ? .null : .strings(attachment.names),
                ]))
        for port in attachment.ports {
            ports.append(
                Port(key: port.key, hostIP: port.hostIP.description, hostPort: Int(port.hostPort)))
        }
    }
}

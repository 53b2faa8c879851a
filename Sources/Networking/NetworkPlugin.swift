// SPDX-License-Identifier: Apache-2.0
import JSON
import Netlink

/// How far a plugin knows of an endpoint: what is to be undone there.
package enum PluginStage: String, Sendable {
    case unknown, created, joined, opened
}

/// An interface that a plugin has made for a container, as its answer to `Join` tells of it.
struct PluginLink: Sendable, Equatable {
    struct Route<Address: NetworkAddress>: Sendable, Equatable {
        var destination: AddressPrefix<Address>
        /// nil for what is reached directly.
        var gateway: Address?
    }

    /// What it is called in the host's namespace, from which it is taken; empty if the plugin has made none.
    var source = ""
    /// What it is called in the container, before the number.
    var prefix = "eth"
    var gateway: IPv4Address?
    var gateway6: IPv6Address?
    var routes: [Route<IPv4Address>] = []
    var routes6: [Route<IPv6Address>] = []
    /// The plugin does not want the container to have another way out.
    var refusesWayOut = false

    init(json: JSONValue) throws(NetworkError) {
        if let name = json["InterfaceName"], name.members != nil {
            source = name["SrcName"]?.string ?? ""
            if let prefix = name["DstPrefix"]?.string, !prefix.isEmpty { self.prefix = prefix }
            guard source.isEmpty || LinkName.isValid(source), LinkName.isValid(prefix + "0") else {
                throw NetworkError(.internal, "failed to set interface name: \"\(source)\", \"\(prefix)\"")
            }
        }
        gateway = try Self.value(json["Gateway"], "unable to parse Gateway") { IPv4Address($0) }
        gateway6 = try Self.value(json["GatewayIPv6"], "unable to parse GatewayIPv6") { IPv6Address($0) }
        refusesWayOut = json["DisableGatewayService"]?.bool ?? false
        for route in json["StaticRoutes"]?.array ?? [] {
            if route["Destination"]?.string?.contains(":") == true {
                routes6.append(try Self.route(route))
            } else {
                routes.append(try Self.route(route))
            }
        }
    }

    private static func route<Address>(_ json: JSONValue) throws(NetworkError) -> Route<Address> {
        let text = json["Destination"]?.string ?? ""
        guard let destination = AddressPrefix<Address>(text)?.network else {
            throw NetworkError(.internal, "invalid CIDR address: \(text)")
        }
        let next = try value(json["NextHop"], "failed to parse nexthop IP") { Address($0) }
        return Route(destination: destination, gateway: next)
    }

    /// nil for none.
    private static func value<Value>(
        _ json: JSONValue?, _ problem: String, _ parse: (String) -> Value?
    ) throws(NetworkError) -> Value? {
        guard let text = json?.string, !text.isEmpty else { return nil }
        guard let value = parse(text) else { throw NetworkError(.internal, "\(problem) \"\(text)\"") }
        return value
    }
}

/// A plugin that makes networks, by docker's protocol (`NetworkDriver`). It makes a container's interface in the host's
/// namespace; we take it into the container's, give it its addresses and routes, and bring it back at the end.
struct NetworkPlugin: Sendable {
    static let kind = "NetworkDriver"
    private static let label = "com.docker.network."

    let name: String
    let perform: PluginCall

    /// Refuses plugins whose networks span machines: that takes a swarm.
    func checkScope() async throws(NetworkError) {
        let scope = try await call("GetCapabilities", [:])["Scope"]?.string ?? ""
        switch scope {
        case "local": break
        case "global": throw NetworkError.needsSwarm
        default:
            throw NetworkError(
                .internal, "invalid capability: expecting 'local' or 'global', got \(scope)")
        }
    }

    func create(_ network: NetworkRecord) async throws(NetworkError) {
        var options: [(key: String, value: JSONValue)] = [
            (Self.label + "generic", .map(network.options)), (Self.label + "enable_ipv6", .bool(network.ipv6 != nil)),
        ]
        if network.isInternal { options.append((Self.label + "internal", true)) }
        _ = try await call(
            "CreateNetwork",
            [
                "NetworkID": .string(network.id), "Options": .sorted(options),
                "IPv4Data": .array(Self.data(network)),
                "IPv6Data": .array(
                    network.ipv6.map { [Self.data($0.subnet, $0.gateway, $0.reserved)] } ?? []),
            ])
    }

    private static func data(_ network: NetworkRecord) -> [JSONValue] {
        if network.addressing.isAbsent { return [["AddressSpace": "null", "Pool": .string(Addressing.absentPool)]] }
        return network.subnet.map { [data($0, network.gateway, network.reserved)] } ?? []
    }

    private static func data<Address>(
        _ subnet: AddressPrefix<Address>, _ gateway: Address?, _ reserved: [String: Address]
    ) -> JSONValue {
        func text(_ address: Address) -> String { "\(address)/\(subnet.length)" }
        var data: JSONValue = ["AddressSpace": "LocalDefault", "Pool": .string(subnet.description)]
        if let gateway { data.set("Gateway", .string(text(gateway))) }
        if !reserved.isEmpty { data.set("AuxAddresses", .map(reserved.mapValues(text))) }
        return data
    }

    func delete(_ network: String) async throws(NetworkError) {
        _ = try await call("DeleteNetwork", ["NetworkID": .string(network)])
    }

    /// The plugin may choose what the endpoint does not have: addresses, and the MAC address.
    func create(_ endpoint: inout EndpointRecord, _ request: EndpointRequest) async throws(NetworkError) {
        var options = Self.portOptions(request.ports, request.exposed)
        options += request.driverOptions.map { ($0.key, .string($0.value)) }
        let answer = try await call(
            "CreateEndpoint",
            Self.reference(
                endpoint,
                [
                    (
                        "Interface",
                        [
                            "Address": .string(endpoint.address?.description ?? ""),
                            "AddressIPv6": .string(endpoint.address6?.description ?? ""),
                            "MacAddress": .string(endpoint.macAddress?.description ?? ""),
                        ]
                    ), ("Options", .sorted(options)),
                ]))["Interface"]
        try Self.take(answer?["MacAddress"], into: &endpoint.macAddress, "MAC address") { MACAddress($0) }
        try Self.take(answer?["Address"], into: &endpoint.address, "address") { IPv4Prefix($0) }
        try Self.take(answer?["AddressIPv6"], into: &endpoint.address6, "address") { IPv6Prefix($0) }
    }

    private static func take<Value>(
        _ json: JSONValue?, into value: inout Value?, _ what: String, _ parse: (String) -> Value?
    ) throws(NetworkError) {
        guard let text = json?.string, !text.isEmpty else { return }
        guard value == nil else {
            throw NetworkError(.internal, "driver modified interface \(what): \(text); rolled back")
        }
        value = parse(text)
        if value == nil { throw NetworkError(.internal, "invalid \(what) of the driver: \(text)") }
    }

    func join(_ endpoint: EndpointRecord, sandbox: String) async throws(NetworkError) -> PluginLink {
        try PluginLink(
            json: try await call(
                "Join", Self.reference(endpoint, [("SandboxKey", .string(sandbox)), ("Options", [:])])))
    }

    /// What is to be reached from outside. A plugin need not know of that.
    func openPorts(_ endpoint: EndpointRecord, _ request: EndpointRequest) async throws(NetworkError) {
        let options = JSONValue.sorted(Self.portOptions(request.ports, request.exposed))
        do throws(NetworkError) {
            _ = try await call("ProgramExternalConnectivity", Self.reference(endpoint, [("Options", options)]))
        } catch {
            if error.kind != .unimplemented { throw error }
        }
    }

    /// Undoes what the plugin has done for an endpoint.
    func forget(_ endpoint: EndpointRecord) async throws(NetworkError) {
        var failure: NetworkError?
        let methods: [String] =
            switch endpoint.pluginStage {
            case .unknown: []
            case .created: ["DeleteEndpoint"]
            case .joined: ["Leave", "DeleteEndpoint"]
            case .opened: ["RevokeExternalConnectivity", "Leave", "DeleteEndpoint"]
            }
        for method in methods {
            do throws(NetworkError) { _ = try await call(method, Self.reference(endpoint)) } catch {
                if error.kind != .unimplemented { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
    }

    private static func reference(
        _ endpoint: EndpointRecord, _ more: [(key: String, value: JSONValue)] = []
    ) -> JSONValue {
        var json: JSONValue = ["NetworkID": .string(endpoint.networkID), "EndpointID": .string(endpoint.id)]
        for (key, value) in more { json.set(key, value) }
        return json
    }

    private static func portOptions(
        _ ports: [PortMapping], _ exposed: [String]
    ) -> [(key: String, value: JSONValue)] {
        if ports.isEmpty, exposed.isEmpty { return [] }
        let bindings = ports.map { port -> JSONValue in
            [
                "Proto": .int(port.proto.number), "IP": "", "Port": .int(Int64(port.containerPort)),
                "HostIP": .string(port.hostIP?.description ?? ""),
                "HostPort": .int(Int64(port.hostPorts?.lowerBound ?? 0)),
                "HostPortEnd": .int(Int64(port.hostPorts?.upperBound ?? 0)),
            ]
        }
        let open = exposed.compactMap { text -> JSONValue? in
            let parts = text.split(separator: "/")
            guard let port = parts.first.flatMap({ UInt16($0) }),
                let proto = PortProtocol(rawValue: parts.count > 1 ? String(parts[1]) : "tcp")
            else { return nil }
            return ["Proto": .int(proto.number), "Port": .int(Int64(port))]
        }
        return [
            (label + "portmap", .array(bindings)), (label + "endpoint.exposedports", .array(open)),
        ]
    }

    private func call(_ method: String, _ json: JSONValue) async throws(NetworkError) -> JSONValue {
        try await perform(name, Self.kind, method, json)
    }
}

extension PortProtocol {
    /// Its number in headers of IP.
    fileprivate var number: Int64 {
        switch self {
        case .tcp: 6
        case .udp: 17
        case .sctp: 132
        }
    }
}

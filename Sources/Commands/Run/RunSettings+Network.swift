// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON

/// One `--network`: a name, or `name=x,alias=y,ip=…`.
struct RunNetwork {
    var name = ""
    var aliases: [String] = []
    var ip4 = ""
    var ip6 = ""
    var macAddress = ""
    var linkLocal: [String] = []
    var links: [String] = []
    var options: [(key: String, value: String)] = []
    var gatewayPriority: Int64 = 0

    static func parse(_ text: String) throws -> RunNetwork {
        var network = RunNetwork()
        guard text.contains("=") else {
            network.name = text
            return network
        }
        for field in csvFields(text) {
            guard let (key, value) = field.cut("=") else { throw RunRefusal("invalid field " + field) }
            switch key.lowercased() {
            case "name": network.name = value
            case "alias": network.aliases.append(value)
            case "ip": network.ip4 = value
            case "ip6": network.ip6 = value
            case "mac-address": network.macAddress = value
            case "link-local-ip": network.linkLocal.append(value)
            case "driver-opt":
                guard let (option, setting) = value.cut("=") else {
                    throw RunRefusal("invalid key value pair format in driver options")
                }
                network.options.append((option, setting))
            case "gw-priority":
                guard let priority = Int64(value) else {
                    throw RunRefusal("invalid gw-priority (" + value + "): invalid syntax")
                }
                network.gatewayPriority = priority
            default: throw RunRefusal("invalid field key " + key)
            }
        }
        if network.name.isEmpty { network.name = "default" }
        return network
    }

    /// The endpoint settings in docker's order.
    var json: JSONValue {
        var ipam: JSONValue = .null
        if !ip4.isEmpty || !ip6.isEmpty || !linkLocal.isEmpty {
            ipam = .object([])
            if !ip4.isEmpty { ipam.set("IPv4Address", .string(ip4)) }
            if !ip6.isEmpty { ipam.set("IPv6Address", .string(ip6)) }
            if !linkLocal.isEmpty { ipam.set("LinkLocalIPs", .strings(linkLocal)) }
        }
        return [
            "IPAMConfig": ipam, "Links": .stringsOrNull(links), "Aliases": .stringsOrNull(aliases),
            "MacAddress": .string(macAddress), "DriverOpts": options.isEmpty ? .null : .map(options),
            "GwPriority": .int(gatewayPriority), "NetworkID": "", "EndpointID": "", "Gateway": "", "IPAddress": "",
            "IPPrefixLen": 0, "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": .null,
        ]
    }
}

extension RunSettings {
    /// The networks asked for; the plain flags (`--ip`, `--network-alias`, …) belong to the first.
    func networks() throws -> [RunNetwork] {
        var networks: [RunNetwork] = []
        for text in flags.list(["network", "net"]) {
            let network = try RunNetwork.parse(text)
            if network.name.isEmpty { throw RunRefusal("no name set for network") }
            if networks.contains(where: { $0.name == network.name }) {
                throw RunRefusal("network " + network.name.quoted + " is specified multiple times")
            }
            networks.append(network)
        }
        if networks.isEmpty { networks = [RunNetwork(name: "default")] }
        let first = networks[0]
        try refuseContradictions(first)
        networks[0].aliases += flags.list(["network-alias", "net-alias"])
        networks[0].ip4 = flags.optional("ip") ?? first.ip4
        networks[0].ip6 = flags.optional("ip6") ?? first.ip6
        networks[0].linkLocal += flags.list("link-local-ip")
        networks[0].macAddress = flags.optional("mac-address") ?? first.macAddress
        if RunSettings.isUserDefined(first.name) { networks[0].links = flags.list("link") }
        try refuseImpossible(networks)
        return networks
    }

    /// The same thing may be said by a flag or inside `--network`, not by both.
    private func refuseContradictions(_ network: RunNetwork) throws {
        let pairs = [
            (["network-alias", "net-alias"], !network.aliases.isEmpty, "alias"),
            (["ip"], !network.ip4.isEmpty, "IPv4 address"), (["ip6"], !network.ip6.isEmpty, "IPv6 address"),
            (["link-local-ip"], !network.linkLocal.isEmpty, "link-local IP addresses"),
            (["mac-address"], !network.macAddress.isEmpty, "MAC address"),
        ]
        for (names, isSaid, what) in pairs where isSaid && names.contains(where: flags.isSet) {
            throw RunRefusal("conflicting options: cannot specify both --" + names[0] + " and per-network " + what)
        }
        if !network.macAddress.isEmpty, !RunSettings.isMACAddress(network.macAddress) {
            throw RunRefusal(network.macAddress + " is not a valid mac address")
        }
    }

    private func refuseImpossible(_ networks: [RunNetwork]) throws {
        let mode = networks[0].name
        if networks.count > 1, networks.contains(where: { isExclusive($0.name) }) {
            throw RunRefusal("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
        }
        if !networks[0].aliases.isEmpty, !RunSettings.isUserDefined(mode) {
            throw RunRefusal("network-scoped aliases are only supported for user-defined networks")
        }
    }

    private func isExclusive(_ name: String) -> Bool {
        name == "host" || name == "none" || name.hasPrefix("container:")
    }

    static func isUserDefined(_ name: String) -> Bool {
        !["default", "bridge", "host", "none", ""].contains(name) && !name.hasPrefix("container:")
    }

    /// Networks of the user's own and the default one have endpoint settings, others only if something is set.
    func endpoints() throws -> JSONValue {
        let own = try networks().filter { network in
            network.name == "default" || RunSettings.isUserDefined(network.name) || !network.macAddress.isEmpty
                || !network.ip4.isEmpty || !network.ip6.isEmpty
        }
        return .object(own.map { JSONValue.Member($0.name, $0.json) })
    }
}

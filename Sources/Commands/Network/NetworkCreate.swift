// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun network create`
enum NetworkCreate {
    static let command = Command(
        "network create", usage: "[OPTIONS] NETWORK",
        "Create a network", arity: .exactly(1),
        flags: {
            [
                .bool("attachable", "Let containers join a swarm network by hand"),
                .value("aux-address", named: "map", repeats: true, "Address that containers must not get (name=ip)"),
                .string("config-from", "Network made with --config-only to take the settings from"),
                .bool("config-only", "Only record settings for --config-from; make no network"),
                .string("driver", short: "d", default: "bridge", "Network driver, e.g. \"bridge\" or \"macvlan\""),
                .value("gateway", named: "strings", repeats: true, "Address of the gateway of a subnet"),
                .bool("ingress", "Make the network that a swarm's routing mesh uses"),
                .bool("internal", "Cut the network off from the outside"),
                .value(
                    "ip-range", named: "strings", repeats: true,
                    "Part of a subnet that containers get addresses from, in CIDR form"),
                .string("ipam-driver", default: "default", "Driver that hands out addresses"),
                .value("ipam-opt", named: "map", repeats: true, "Option for the address driver (key=value)"),
                .bool("ipv4", default: true, "Give containers IPv4 addresses"),
                .bool("ipv6", "Give containers IPv6 addresses"),
                .list("label", "Label (key or key=value) to attach to the network").checking(RunChecks.label),
                .value("opt", short: "o", named: "map", repeats: true, "Option for the network driver (key=value)"),
                .string("scope", "Where the network exists: \"local\" or \"swarm\""),
                .value("subnet", named: "strings", repeats: true, "Subnet in CIDR form, e.g. 10.1.0.0/16"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let flags = call.flags
        var body: JSONValue = ["Name": .string(call.arguments[0]), "Driver": .string(flags.string("driver"))]
        body.set("Scope", .string(flags.string("scope")))
        if flags.isSet("ipv4") { body.set("EnableIPv4", .bool(flags.bool("ipv4"))) }
        if flags.isSet("ipv6") { body.set("EnableIPv6", .bool(flags.bool("ipv6"))) }
        body.set(
            "IPAM",
            [
                "Driver": .string(flags.string("ipam-driver")), "Options": .map(pairs(flags, "ipam-opt")),
                "Config": .array(try pools(flags)),
            ])
        body.set("Internal", .bool(flags.bool("internal")))
        body.set("Attachable", .bool(flags.bool("attachable")))
        body.set("Ingress", .bool(flags.bool("ingress")))
        body.set("ConfigOnly", .bool(flags.bool("config-only")))
        if let source = flags.optional("config-from") { body.set("ConfigFrom", ["Network": .string(source)]) }
        body.set("Options", .map(pairs(flags, "opt")))
        body.set("Labels", .map(pairs(flags, "label")))
        let answer = try call.client.json("POST", "/networks/create", body: .json(body))
        if let warning = answer["Warning"]?.string, !warning.isEmpty { call.output.errorLine("WARNING: " + warning) }
        call.output.line(answer["Id"]?.string ?? "")
    }

    private static func pairs(_ flags: FlagValues, _ name: String) -> [(key: String, value: String)] {
        flags.list(name).map { $0.cut("=").map { ($0.0, $0.1) } ?? ($0, "") }
    }

    /// One pool for each subnet; ranges, gateways and reserved addresses go to the subnet that holds them.
    private static func pools(_ flags: FlagValues) throws -> [JSONValue] {
        let subnets = flags.commaList("subnet")
        let (ranges, gateways) = (flags.commaList("ip-range"), flags.commaList("gateway"))
        let reserved = pairs(flags, "aux-address")
        if subnets.count < ranges.count || subnets.count < gateways.count {
            throw CommandFailure("every ip-range or gateway must have a corresponding subnet")
        }
        let networks = subnets.compactMap { IPPrefix($0) }
        try refuseOverlap(networks, subnets)
        for (kind, addresses) in [("range", ranges), ("gateway", gateways), ("aux-address", reserved.map(\.value))] {
            for address in addresses where !networks.contains(where: { $0.contains(address) }) {
                throw CommandFailure("no matching subnet for " + kind + " " + address)
            }
        }
        return subnets.map { subnet in
            var pool: JSONValue = ["Subnet": .string(subnet)]
            guard let network = IPPrefix(subnet) else { return pool }  // the daemon says what is wrong with it
            if let range = ranges.first(where: { network.contains($0) }) { pool.set("IPRange", .string(range)) }
            if let gateway = gateways.first(where: { network.contains($0) }) { pool.set("Gateway", .string(gateway)) }
            let inside = reserved.filter { network.contains($0.value) }
            if !inside.isEmpty { pool.set("AuxiliaryAddresses", .map(inside)) }
            return pool
        }
    }

    private static func refuseOverlap(_ networks: [IPPrefix], _ subnets: [String]) throws {
        for (index, network) in networks.enumerated() {
            for (other, subnet) in subnets.enumerated() where other != index && network.contains(subnet) {
                throw CommandFailure("multiple overlapping subnet configuration is not supported")
            }
        }
    }
}

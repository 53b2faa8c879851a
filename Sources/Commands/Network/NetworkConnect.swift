// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun network connect`
enum NetworkConnect {
    static let command = Command(
        "network connect", usage: "[OPTIONS] NETWORK CONTAINER",
        "Add a container to a network", arity: .exactly(2),
        flags: {
            [
                .value("alias", named: "strings", repeats: true, "Further name of the container on this network"),
                .value("driver-opt", named: "strings", repeats: true, "Option for the network's driver (key=value)"),
                .int("gw-priority", "Of a container's networks the one with the highest number is its default gateway"),
                .string("ip", "Fixed IPv4 address, e.g. 172.30.100.104"),
                .string("ip6", "Fixed IPv6 address, e.g. 2001:db8::33"),
                .list("link", "Container to make reachable by name (<name>[:<alias>])").checking(RunChecks.link),
                .value("link-local-ip", named: "strings", repeats: true, "Link-local address (IPv4 or IPv6) to add"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let flags = call.flags
        var endpoint = RunNetwork(name: call.arguments[0])
        endpoint.aliases = flags.commaList("alias")
        endpoint.ip4 = flags.string("ip")
        endpoint.ip6 = flags.string("ip6")
        endpoint.links = flags.list("link")
        endpoint.linkLocal = flags.commaList("link-local-ip")
        endpoint.gatewayPriority = Int64(flags.int("gw-priority"))
        endpoint.options = try flags.commaList("driver-opt").map { entry in
            guard let (key, value) = entry.cut("=") else {
                throw CommandFailure("invalid key/value pair format in driver options")
            }
            return (key, value)
        }
        let path = APIPath.network(call.arguments[0]) + "/connect"
        let body: JSONValue = ["Container": .string(call.arguments[1]), "EndpointConfig": endpoint.json]
        try call.client.perform("POST", path, body: .json(body))
    }
}

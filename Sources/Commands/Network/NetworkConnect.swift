// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun network connect`
enum NetworkConnect {
    static let command = Command(
        "network connect", usage: "[OPTIONS] NETWORK CONTAINER",
        "Connect a container to a network", arity: .exactly(2),
        flags: {
            [
                .value("alias", named: "strings", repeats: true, "Add network-scoped alias for the container"),
                .value("driver-opt", named: "strings", repeats: true, "driver options for the network"),
                .int(
                    "gw-priority",
                    "Highest gw-priority provides the default gateway. Accepts positive and negative values."),
                .string("ip", "IPv4 address (e.g., \"172.30.100.104\")"),
                .string("ip6", "IPv6 address (e.g., \"2001:db8::33\")"),
                .list("link", "Add link to another container"),
                .value("link-local-ip", named: "strings", repeats: true, "Add a link-local address for the container"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let flags = call.flags
        var endpoint = RunNetwork(name: call.arguments[0])
        endpoint.aliases = flags.list("alias")
        endpoint.ip4 = flags.string("ip")
        endpoint.ip6 = flags.string("ip6")
        endpoint.links = flags.list("link")
        endpoint.linkLocal = flags.list("link-local-ip")
        endpoint.gatewayPriority = Int64(flags.int("gw-priority"))
        endpoint.options = try flags.list("driver-opt").map { entry in
            guard let (key, value) = entry.cut("=") else {
                throw CommandFailure("invalid key/value pair format in driver options")
            }
            return (key, value)
        }
        let path = "/networks/" + percentEncoded(call.arguments[0], spaceAsPlus: false) + "/connect"
        let body: JSONValue = ["Container": .string(call.arguments[1]), "EndpointConfig": endpoint.json]
        try call.client.perform("POST", path, body: .json(body))
    }
}

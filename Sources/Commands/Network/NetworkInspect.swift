// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun network inspect`
enum NetworkInspect {
    static let command = Command(
        "network inspect", usage: "[OPTIONS] NETWORK [NETWORK...]",
        "Show all that is known about networks, as JSON", arity: .atLeast(1),
        flags: {
            [
                Flag.inspectFormat,
                .bool("verbose", short: "v", "Include what helps to find faults in swarm networks"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        if call.flags.bool("verbose") { query.add("verbose", "true") }
        try ObjectInspection(call: call).show { name in
            try call.client.json("GET", APIPath.network(name), query)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun network inspect`
enum NetworkInspect {
    static let command = Command(
        "network inspect", usage: "[OPTIONS] NETWORK [NETWORK...]",
        "Display detailed information on one or more networks", arity: .atLeast(1),
        flags: {
            [
                Flag.inspectFormat,
                .bool("verbose", short: "v", "Verbose output for diagnostics"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        if call.flags.bool("verbose") { query.add("verbose", "true") }
        try ObjectInspection(call: call).show { name in
            try call.client.json("GET", "/networks/" + percentEncoded(name, spaceAsPlus: false), query)
        }
    }
}

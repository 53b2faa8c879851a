// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun container inspect`
enum ContainerInspect {
    static let command = Command(
        "container inspect", usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Display detailed information on one or more containers", arity: .atLeast(1),
        flags: {
            [
                Flag.inspectFormat,
                .bool("size", short: "s", "Display total file sizes"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        try ObjectInspection(call: call).show { name in
            let query = Query(call.flags.bool("size") ? [("size", "1")] : [])
            return try call.client.json(
                "GET", "/containers/" + percentEncoded(name, spaceAsPlus: false) + "/json", query)
        }
    }
}

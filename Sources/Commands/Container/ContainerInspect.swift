// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun container inspect`
enum ContainerInspect {
    static let command = Command(
        "container inspect", usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Show all that is known about containers, as JSON", arity: .atLeast(1),
        flags: {
            [
                Flag.inspectFormat,
                .bool("size", short: "s", "Include the sizes of the container's files, which takes time to add up"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        try ObjectInspection(call: call).show { name in
            let query = Query(call.flags.bool("size") ? [("size", "1")] : [])
            return try call.client.json(
                "GET", APIPath.container(name) + "/json", query)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun network disconnect`
enum NetworkDisconnect {
    static let command = Command(
        "network disconnect", usage: "[OPTIONS] NETWORK CONTAINER",
        "Take a container off a network", arity: .exactly(2),
        flags: {
            [
                .bool("force", short: "f", "Drop the connection even if the container is gone or does not answer")
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let path = APIPath.network(call.arguments[0]) + "/disconnect"
        let body: JSONValue = ["Container": .string(call.arguments[1]), "Force": .bool(call.flags.bool("force"))]
        try call.client.perform("POST", path, body: .json(body))
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient

/// `swrun container pause`
enum ContainerPause {
    static let command = Command(
        "container pause", aliases: ["pause"], usage: "CONTAINER [CONTAINER...]",
        "Freeze all processes of containers", arity: .atLeast(1),
        run: run)

    static func run(_ call: Invocation) throws {
        try call.forEachArgument { name in
            try call.client.perform("POST", APIPath.container(name) + "/pause")
            return name
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient

/// `swrun container unpause`
enum ContainerUnpause {
    static let command = Command(
        "container unpause", aliases: ["unpause"], usage: "CONTAINER [CONTAINER...]",
        "Let paused containers go on", arity: .atLeast(1),
        run: run)

    static func run(_ call: Invocation) throws {
        try call.forEachArgument { name in
            try call.client.perform("POST", APIPath.container(name) + "/unpause")
            return name
        }
    }
}

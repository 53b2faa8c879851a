// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun container restart`
enum ContainerRestart {
    static let command = Command(
        "container restart", aliases: ["restart"], usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Stop containers and start them again", arity: .atLeast(1),
        flags: ContainerStop.flags, run: run)

    static func run(_ call: Invocation) throws {
        let query = ContainerStop.query(call)
        try call.forEachArgument { name in
            try call.client.perform("POST", APIPath.container(name) + "/restart", query)
            return name
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun container kill`
enum ContainerKill {
    static let command = Command(
        "container kill", aliases: ["kill"], usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Send a signal to containers, SIGKILL by default", arity: .atLeast(1),
        flags: {
            [
                .string("signal", short: "s", "Signal to send, by name or number")
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let signal = call.flags.string("signal")
        let query = Query(signal.isEmpty ? [] : [("signal", signal)])
        try call.forEachArgument { name in
            try call.client.perform("POST", APIPath.container(name) + "/kill", query)
            return name
        }
    }
}

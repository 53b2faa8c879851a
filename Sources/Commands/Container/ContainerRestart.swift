// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun container restart`
enum ContainerRestart {
    static let command = Command(
        "container restart", aliases: ["restart"], usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Stop containers and start them again", arity: .atLeast(1),
        flags: {
            [
                .string("signal", short: "s", "Signal to stop with (default: the container's own, or SIGTERM)"),
                .int(
                    "timeout", short: "t",
                    "Seconds until SIGKILL follows (default: the container's own, or 10; -1: never)"),
                .int("time", "").deprecating("use --timeout instead"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let query = ContainerStop.query(call)
        try call.forEachArgument { name in
            try call.client.perform(
                "POST", APIPath.container(name) + "/restart", query)
            return name
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun container export`
enum ContainerExport {
    static let command = Command(
        "container export", aliases: ["export"], usage: "[OPTIONS] CONTAINER",
        "Write a container's file system as a tar archive", arity: .exactly(1),
        flags: {
            [
                .string("output", short: "o", "File to write to (default: stdout)")
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let path = APIPath.container(call.arguments[0]) + "/export"
        try FileOutput.save(call, "export container") { try call.client.send("GET", path) }
    }
}

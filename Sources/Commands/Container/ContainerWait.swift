// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON

/// `swrun container wait`
enum ContainerWait {
    static let command = Command(
        "container wait", aliases: ["wait"], usage: "CONTAINER [CONTAINER...]",
        "Wait until containers end and print their exit codes", arity: .atLeast(1),
        run: run)

    static func run(_ call: Invocation) throws {
        try call.forEachArgument { name in
            let session = ContainerSession(client: call.client, id: name)
            let result = try session.wait("").json()
            if let message = result["Error"]?["Message"]?.string, !message.isEmpty { throw CommandFailure(message) }
            return "\(result["StatusCode"]?.int ?? 0)"
        }
    }
}

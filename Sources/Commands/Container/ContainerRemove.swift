// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun container rm`
enum ContainerRemove {
    static let command = Command(
        "container rm", aliases: ["container remove", "rm"], usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Remove containers", arity: .atLeast(1),
        flags: {
            [
                .bool("force", short: "f", "Kill the container first if it runs"),
                .bool("link", short: "l", "Remove only the named link between containers"),
                .bool("volumes", short: "v", "Remove the container's anonymous volumes too"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        query.add("force", if: call.flags.bool("force"))
        query.add("link", if: call.flags.bool("link"))
        query.add("v", if: call.flags.bool("volumes"))
        try call.forEachArgument { argument in
            let name = argument.hasPrefix("/") ? String(argument.drop { $0 == "/" }) : argument
            if name.isEmpty { throw CommandFailure("container name cannot be empty") }
            do throws(ClientError) {
                try call.client.perform("DELETE", APIPath.container(name), query)
            } catch {
                guard call.flags.bool("force"), error.status == 404 else { throw error }
                call.output.errorLine(error.message)
                return nil
            }
            return argument
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun network rm`
enum NetworkRemove {
    static let command = Command(
        "network rm", aliases: ["network remove"], usage: "NETWORK [NETWORK...]",
        "Remove networks", arity: .atLeast(1),
        flags: {
            [
                .bool("force", short: "f", "Do not complain about networks that do not exist")
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var failed = false
        for name in call.arguments {
            do throws(ClientError) {
                try call.client.perform("DELETE", APIPath.network(name))
                call.output.line(name)
            } catch {
                guard let status = error.status else { throw error }
                if call.flags.bool("force"), status == 404 { continue }
                call.output.errorLine(error.message)
                failed = true
            }
        }
        if failed { throw CommandFailure("exit status 1") }
    }
}

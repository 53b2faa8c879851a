// SPDX-License-Identifier: Apache-2.0
import DockerClient
import GoTemplate
import JSON

/// `swrun container top`
enum ContainerTop {
    static let command = Command(
        "container top", aliases: ["top"], usage: "CONTAINER [ps OPTIONS]",
        "List the processes of a container", arity: .atLeast(1), stopsAtFirstArgument: true,
        run: run)

    static func run(_ call: Invocation) throws {
        let options = Array(call.arguments.dropFirst())
        let query = Query(options.isEmpty ? [] : [("ps_args", options.joined(separator: " "))])
        let path = APIPath.container(call.arguments[0]) + "/top"
        let answer = try call.client.json("GET", path, query)
        var lines = [answer["Titles"]?.strings ?? []]
        for process in answer["Processes"]?.array ?? [] { lines.append(process.strings ?? []) }
        let text = lines.map { $0.joined(separator: "\t") }.joined(separator: "\n") + "\n"
        call.output.write(TabWriter(minimumWidth: 20, padding: 1).align(text))
    }
}

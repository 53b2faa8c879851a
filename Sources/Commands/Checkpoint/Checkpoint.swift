// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON

/// `swrun checkpoint create`, `ls` and `rm`, which an experimental daemon has.
enum Checkpoint {
    static let createCommand = Command(
        "checkpoint create", usage: "[OPTIONS] CONTAINER CHECKPOINT",
        "Save the processes of a running container to disk", arity: .exactly(2),
        flags: { [directory, .bool("leave-running", "Leave the container running afterwards")] },
        run: create)

    static let listCommand = Command(
        "checkpoint ls", aliases: ["checkpoint list"], usage: "[OPTIONS] CONTAINER",
        "List the checkpoints of a container", arity: .exactly(1),
        flags: { [directory] },
        run: list)

    static let removeCommand = Command(
        "checkpoint rm", aliases: ["checkpoint remove"], usage: "[OPTIONS] CONTAINER CHECKPOINT",
        "Remove a checkpoint of a container", arity: .exactly(2),
        flags: { [directory] },
        run: remove)

    private static let directory = Flag.string(
        "checkpoint-dir", "Directory of checkpoints in place of the container's own")

    private static func create(_ call: Invocation) throws {
        let body: JSONValue = [
            "CheckpointID": .string(call.arguments[1]), "CheckpointDir": .string(call.flags.string("checkpoint-dir")),
            "Exit": .bool(!call.flags.bool("leave-running")),
        ]
        try call.client.perform("POST", path(call), body: .json(body))
        call.output.line(call.arguments[1])
    }

    private static func list(_ call: Invocation) throws {
        let found = try call.client.json("GET", path(call), query(call)).array ?? []
        let rows = found.map {
            TemplateRecord(typeName: "*checkpoint.checkpointContext", fields: [("Name", $0["Name"] ?? "")])
        }
        call.output.write(try ListFormat([("Name", "CHECKPOINT NAME")]).render("table", rows))
    }

    private static func remove(_ call: Invocation) throws {
        try call.client.perform("DELETE", path(call) + "/" + APIPath.segment(call.arguments[1]), query(call))
    }

    private static func path(_ call: Invocation) throws -> String {
        try call.requireExperimentalDaemon("docker " + call.command.path)
        return APIPath.container(call.arguments[0]) + "/checkpoints"
    }

    private static func query(_ call: Invocation) -> Query {
        var query = Query()
        let directory = call.flags.string("checkpoint-dir")
        if !directory.isEmpty { query.add("dir", directory) }
        return query
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun container commit`
enum ContainerCommit {
    static let command = Command(
        "container commit", aliases: ["commit"], usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
        "Make an image of a container's current files", arity: .between(1, 2),
        flags: {
            [
                .string("author", short: "a", "Author to record, e.g. \"Ada Lovelace <ada@example.org>\""),
                .list(
                    "change", short: "c", "Dockerfile instruction that changes the image's settings, e.g. \"ENV A=1\""),
                .string("message", short: "m", "Comment to record in the image's history"),
                .bool("pause", short: "p", default: true, "Pause the container while its files are read"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query([("container", call.arguments[0])])
        if call.arguments.count == 2 {
            let name = try ImageName(call.arguments[1])
            if name.digest != nil { throw CommandFailure("refusing to create a tag with a digest reference") }
            query.add("repo", name.familiarFull)
            query.add("tag", name.tag ?? "latest")
        }
        query.add("author", call.flags.string("author"))
        query.add("comment", call.flags.string("message"))
        for change in call.flags.list("change") { query.add("changes", change) }
        if !call.flags.bool("pause") { query.add("pause", "0") }
        let answer = try call.client.json("POST", "/commit", query, body: .json(.object([])))
        call.output.line(answer["Id"]?.string ?? "")
    }
}

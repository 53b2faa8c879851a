// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun container logs`
enum ContainerLogs {
    static let command = Command(
        "container logs", aliases: ["logs"], usage: "[OPTIONS] CONTAINER",
        "Print what a container wrote to stdout and stderr", arity: .exactly(1),
        flags: {
            [
                .bool("details", "Prefix lines with the attributes that the log driver recorded"),
                .bool("follow", short: "f", "Go on printing as the container writes"),
                .string("since", "Start at this time: \(TimeArgument.help)"),
                .string("tail", short: "n", default: "all", "Number of lines from the end to start with"),
                .bool("timestamps", short: "t", "Begin each line with the time at which it was written"),
                .string("until", "End before this time: \(TimeArgument.help)"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let flags = call.flags
        let path = APIPath.container(call.arguments[0])
        let inspected = try call.client.json("GET", path + "/json")
        var query = Query()
        query.add("details", if: flags.bool("details"))
        query.add("follow", if: flags.bool("follow"))
        if let since = flags.optional("since") { query.add("since", try TimeArgument.parse(since, named: "since")) }
        query.add("stderr", "1")
        query.add("stdout", "1")
        query.add("tail", flags.string("tail"))
        query.add("timestamps", if: flags.bool("timestamps"))
        if let until = flags.optional("until") { query.add("until", try TimeArgument.parse(until, named: "until")) }
        // The id, in case the name goes to another container meanwhile.
        let id = inspected["Id"]?.string ?? call.arguments[0]
        let response = try call.client.send("GET", ContainerSession(client: call.client, id: id).path + "/logs", query)
        try copy(response, isRaw: inspected["Config"]?["Tty"]?.bool ?? false)
    }

    private static func copy(_ response: HTTPResponse, isRaw: Bool) throws {
        var frames = FrameDecoder()
        while let bytes = try response.read() {
            if isRaw {
                try StandardStreams.write(1, bytes)
                continue
            }
            for piece in try frames.decode(bytes) { try StandardStreams.write(piece.stream == 2 ? 2 : 1, piece.bytes) }
        }
    }
}

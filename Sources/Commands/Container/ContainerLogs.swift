// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun container logs`
enum ContainerLogs {
    static let command = Command(
        "container logs", aliases: ["logs"], usage: "[OPTIONS] CONTAINER",
        "Fetch the logs of a container", arity: .exactly(1),
        flags: {
            [
                .bool("details", "Show extra details provided to logs"),
                .bool("follow", short: "f", "Follow log output"),
                .string(
                    "since",
                    "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for "
                        + "42 minutes)"),
                .string("tail", short: "n", default: "all", "Number of lines to show from the end of the logs"),
                .bool("timestamps", short: "t", "Show timestamps"),
                .string(
                    "until",
                    "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" "
                        + "for 42 minutes)"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let flags = call.flags
        let path = "/containers/" + percentEncoded(call.arguments[0], spaceAsPlus: false)
        let inspected = try call.client.json("GET", path + "/json")
        var query = Query()
        query.add("details", if: flags.bool("details"))
        query.add("follow", if: flags.bool("follow"))
        if let since = flags.optional("since") { query.add("since", TimeArgument.parse(since)) }
        query.add("stderr", "1")
        query.add("stdout", "1")
        query.add("tail", flags.string("tail"))
        query.add("timestamps", if: flags.bool("timestamps"))
        if let until = flags.optional("until") { query.add("until", TimeArgument.parse(until)) }
        let response = try call.client.send("GET", path + "/logs", query)
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

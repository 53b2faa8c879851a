// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun image load`
enum ImageLoad {
    static let command = Command(
        "image load", aliases: ["load"], usage: "[OPTIONS]",
        "Add the images of an archive made by 'image save'", arity: .none,
        flags: {
            [
                .string("input", short: "i", "File to read (default: stdin)"),
                .platform("Only platform to load"),
                .bool("quiet", short: "q", "Show no progress"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let input = call.flags.optional("input")
        if input == nil, TerminalMode.isTerminal(0) {
            throw CommandFailure("requested load from stdin, but stdin is empty")
        }
        let isQuiet = call.flags.bool("quiet") || !call.output.isTerminal
        var query = Query([("quiet", isQuiet ? "1" : "0")])
        for platform in call.flags.list("platform") { query.add("platform", ImagePlatform.json(platform).serialized()) }
        let response = try call.client.send("POST", "/images/load", query, body: try FileInput.stream(input))
        guard response.header("content-type")?.hasPrefix("application/json") ?? false else {
            while let bytes = try response.read() { try StandardStreams.write(1, bytes) }
            return
        }
        var display = ProgressDisplay(descriptor: 1)
        try display.show(JSONLines(response))
    }
}

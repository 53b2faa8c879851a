// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun image save`
enum ImageSave {
    static let command = Command(
        "image save", aliases: ["save"], usage: "[OPTIONS] IMAGE [IMAGE...]",
        "Save one or more images to a tar archive (streamed to STDOUT by default)", arity: .atLeast(1),
        flags: {
            [
                .string("output", short: "o", "Write to a file, instead of STDOUT"),
                .string(
                    "platform",
                    "Save only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., "
                        + "\"linux/amd64\")"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        for name in call.arguments { query.add("names", name) }
        for platform in call.flags.list("platform") { query.add("platform", ImagePlatform.json(platform).serialized()) }
        try FileOutput.save(call, "save") { try call.client.send("GET", "/images/get", query) }
    }
}

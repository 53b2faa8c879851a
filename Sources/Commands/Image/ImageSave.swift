// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun image save`
enum ImageSave {
    static let command = Command(
        "image save", aliases: ["save"], usage: "[OPTIONS] IMAGE [IMAGE...]",
        "Write images, with their names and layers, as a tar archive", arity: .atLeast(1),
        flags: {
            [
                .string("output", short: "o", "File to write to (default: stdout)"),
                .platform("Only platform to write"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        for name in call.arguments { query.add("names", name) }
        for platform in call.flags.list("platform") { query.add("platform", ImagePlatform.json(platform).serialized()) }
        try FileOutput.save(call, "save image") { try call.client.send("GET", "/images/get", query) }
    }
}

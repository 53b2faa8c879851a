// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun image inspect`
enum ImageInspect {
    static let command = Command(
        "image inspect", usage: "[OPTIONS] IMAGE [IMAGE...]",
        "Show all that is known about images, as JSON", arity: .atLeast(1),
        flags: {
            [
                Flag.inspectFormat,
                .platform("Platform to show, an error if the image lacks it"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        if let platform = call.flags.optional("platform") {
            query.add("platform", ImagePlatform.json(platform).serialized())
        }
        try ObjectInspection(call: call).show { name in
            try call.client.json("GET", APIPath.image(name) + "/json", query)
        }
    }
}

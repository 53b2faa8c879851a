// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun image inspect`
enum ImageInspect {
    static let command = Command(
        "image inspect", usage: "[OPTIONS] IMAGE [IMAGE...]",
        "Display detailed information on one or more images", arity: .atLeast(1),
        flags: {
            [
                Flag.inspectFormat,
                .string(
                    "platform",
                    "Inspect a specific platform of the multi-platform image.\n"
                        + "If the image or the server is not multi-platform capable, the command will error out if "
                        + "the platform does not match.\n"
                        + "'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        if let platform = call.flags.optional("platform") {
            query.add("platform", ImagePlatform.json(platform).serialized())
        }
        try ObjectInspection(call: call).show { name in
            try call.client.json("GET", "/images/" + percentEncoded(name, spaceAsPlus: false) + "/json", query)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun volume rm`
enum VolumeRemove {
    static let command = Command(
        "volume rm", aliases: ["volume remove"], usage: "[OPTIONS] VOLUME [VOLUME...]",
        "Remove one or more volumes", arity: .atLeast(1),
        details: "Remove one or more volumes. You cannot remove a volume that is in use by a container.",
        flags: {
            [
                .bool("force", short: "f", "Force the removal of one or more volumes")
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        query.add("force", if: call.flags.bool("force"))
        try call.forEachArgument { name in
            try call.client.perform("DELETE", "/volumes/" + percentEncoded(name, spaceAsPlus: false), query)
            return name
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun volume rm`
enum VolumeRemove {
    static let command = Command(
        "volume rm", aliases: ["volume remove"], usage: "[OPTIONS] VOLUME [VOLUME...]",
        "Remove volumes", arity: .atLeast(1),
        details: "Remove volumes with all their data; a volume that a container uses stays",
        flags: {
            [
                .bool("force", short: "f", "Do not complain about volumes that do not exist")
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var query = Query()
        query.add("force", if: call.flags.bool("force"))
        try call.forEachArgument { name in
            try call.client.perform("DELETE", APIPath.volume(name), query)
            return name
        }
    }
}

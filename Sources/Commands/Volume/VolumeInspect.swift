// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun volume inspect`
enum VolumeInspect {
    static let command = Command(
        "volume inspect", usage: "[OPTIONS] VOLUME [VOLUME...]",
        "Show all that is known about volumes, as JSON", arity: .atLeast(1),
        flags: {
            [
                Flag.inspectFormat
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        try ObjectInspection(call: call).show { name in
            try call.client.json("GET", APIPath.volume(name))
        }
    }
}

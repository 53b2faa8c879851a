// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun volume create`
enum VolumeCreate {
    static let command = Command(
        "volume create", usage: "[OPTIONS] [VOLUME]",
        "Create a volume", arity: .atMost(1),
        flags: {
            [
                .string(
                    "availability", default: "active",
                    "Cluster Volume availability (\"active\", \"pause\", \"drain\")"),
                .string("driver", short: "d", default: "local", "Specify volume driver name"),
                .string("group", "Cluster Volume group (cluster volumes)"),
                .list("label", "Set metadata for a volume").checking(RunChecks.label),
                .value(
                    "limit-bytes", named: "bytes", "Minimum size of the Cluster Volume in bytes", check: Checks.bytes),
                .value(
                    "opt", short: "o", named: "map", repeats: true,
                    "Set driver specific options"
                ).showing(default: "map[]"),
                .value(
                    "required-bytes", named: "bytes",
                    "Maximum size of the Cluster Volume in bytes", check: Checks.bytes),
                .string("scope", default: "single", "Cluster Volume access scope (\"single\", \"multi\")"),
                .value("secret", named: "map", repeats: true, "Cluster Volume secrets").showing(default: "map[]"),
                .string(
                    "sharing", default: "none",
                    "Cluster Volume access sharing (\"none\", \"readonly\", \"onewriter\", \"all\")"),
                .list("topology-preferred", "A topology that the Cluster Volume would be preferred in"),
                .list("topology-required", "A topology that the Cluster Volume must be accessible from"),
                .string("type", default: "block", "Cluster Volume access type (\"mount\", \"block\")"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        func pairs(_ name: String) -> JSONValue {
            .map(call.flags.list(name).map { $0.cut("=").map { ($0.0, $0.1) } ?? ($0, "") })
        }
        var body: JSONValue = ["Driver": .string(call.flags.string("driver"))]
        body.set("DriverOpts", pairs("opt"))
        body.set("Labels", pairs("label"))
        if let name = call.arguments.first { body.set("Name", .string(name)) }
        let volume = try call.client.json("POST", "/volumes/create", body: .json(body))
        call.output.line(volume["Name"]?.string ?? "")
    }
}

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
                    "Cluster volumes: \"active\", \"pause\" or \"drain\""),
                .string("driver", short: "d", default: "local", "Volume driver"),
                .string("group", "Cluster volumes: group that the volume belongs to"),
                .list("label", "Label (key or key=value) to attach to the volume").checking(RunChecks.label),
                .value("limit-bytes", named: "bytes", "Cluster volumes: greatest size", check: Checks.bytes),
                .string("name", "The same as the argument").hiding(),
                .value("opt", short: "o", named: "map", repeats: true, "Option for the volume driver (key=value)"),
                .value("required-bytes", named: "bytes", "Cluster volumes: least size", check: Checks.bytes),
                .string(
                    "scope", default: "single", "Cluster volumes: usable on a \"single\" node or on several (\"multi\")"
                ),
                .value("secret", named: "map", repeats: true, "Cluster volumes: secret for the driver (key=name)"),
                .string(
                    "sharing", default: "none",
                    "Cluster volumes: who may share it: \"none\", \"readonly\", \"onewriter\" or \"all\""),
                .list("topology-preferred", "Cluster volumes: place to prefer"),
                .list("topology-required", "Cluster volumes: place that must reach it"),
                .string("type", default: "block", "Cluster volumes: used as a \"mount\" or a \"block\" device"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        func pairs(_ name: String) -> JSONValue {
            .map(call.flags.list(name).map { $0.cut("=").map { ($0.0, $0.1) } ?? ($0, "") })
        }
        try call.refuse(
            "availability", "group", "limit-bytes", "required-bytes", "scope", "secret", "sharing",
            "topology-preferred", "topology-required", "type")
        var body: JSONValue = ["Driver": .string(call.flags.string("driver"))]
        body.set("DriverOpts", pairs("opt"))
        body.set("Labels", pairs("label"))
        if call.flags.isSet("name"), !call.arguments.isEmpty {
            throw CommandFailure(
                "conflicting options: cannot specify a volume-name through both --name and as a positional arg")
        }
        if let name = call.arguments.first ?? call.flags.optional("name") { body.set("Name", .string(name)) }
        let volume = try call.client.json("POST", "/volumes/create", body: .json(body))
        call.output.line(volume["Name"]?.string ?? "")
    }
}

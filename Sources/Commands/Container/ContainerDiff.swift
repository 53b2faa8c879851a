// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON

/// `swrun container diff`
enum ContainerDiff {
    static let command = Command(
        "container diff", aliases: ["diff"], usage: "CONTAINER",
        "List files that a container added (A), changed (C) or deleted (D)", arity: .exactly(1),
        run: run)

    static func run(_ call: Invocation) throws {
        let path = APIPath.container(call.arguments[0]) + "/changes"
        let changes = try call.client.json("GET", path)
        for change in changes.array ?? [] {
            let kinds = ["C", "A", "D"]
            let kind = Int(change["Kind"]?.int ?? 0)
            call.output.line((kinds.indices.contains(kind) ? kinds[kind] : "?") + " " + (change["Path"]?.string ?? ""))
        }
    }
}

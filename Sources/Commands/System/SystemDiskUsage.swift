// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON

/// `swrun system df`
enum SystemDiskUsage {
    static let command = Command(
        "system df", usage: "[OPTIONS]",
        "Show how much disk space images, containers and volumes take", arity: .none,
        flags: {
            [
                Flag.listFormat,
                .bool("verbose", short: "v", "List every object with its size"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let usage = try call.client.json("GET", "/system/df")
        if call.flags.bool("verbose") {
            return call.output.write(try DiskUsageDetails(usage: usage).render(call.flags.string("format")))
        }
        let rows = DiskUsage(usage).rows.map(\.record)
        call.output.write(try DiskUsage.list.render(call.flags.optional("format") ?? "table", rows))
    }
}

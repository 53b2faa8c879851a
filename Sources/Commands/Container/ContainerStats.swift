// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON
import LinuxSystem

/// `swrun container stats`
enum ContainerStats {
    static let command = Command(
        "container stats", aliases: ["stats"], usage: "[OPTIONS] [CONTAINER...]",
        "Show what containers use of CPU, memory, network and disk", arity: .any,
        flags: {
            [
                .bool("all", short: "a", "Include containers that are not running"),
                Flag.listFormat,
                .bool("no-stream", "Print one measurement and end"),
                .bool("no-trunc", "Show IDs in full"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let names = call.arguments.isEmpty ? try allNames(call) : call.arguments
        let format = call.flags.optional("format") ?? call.config.string("statsFormat") ?? "table"
        let isShort = !call.flags.bool("no-trunc")
        if call.flags.bool("no-stream") {
            let rows = try names.map { StatsRow(name: $0, try sample(call, $0), truncates: isShort).record }
            return call.output.write(try StatsRow.list.render(format, rows))
        }
        if !call.arguments.isEmpty { try checkAll(call) }
        while true {
            let current = call.arguments.isEmpty ? try allNames(call) : names
            var rows: [TemplateRecord] = []
            for name in current {
                let row = StatsRow(name: name, try? sample(call, name), truncates: isShort)
                rows.append(row.record)
            }
            // Home, the table with each line erased to its end, and the rest of the screen erased.
            let table = try StatsRow.list.render(format, rows).replacingText("\n", with: "\u{1B}[K\n")
            call.output.write("\u{1B}[H" + table + "\u{1B}[J")
        }
    }

    /// Containers that were named have to be there at the beginning; one that goes later just shows no numbers.
    private static func checkAll(_ call: Invocation) throws {
        try call.forEachArgument { name in
            _ = try call.client.json("GET", APIPath.container(name) + "/json")
            return nil
        }
    }

    private static func allNames(_ call: Invocation) throws -> [String] {
        var query = Query()
        query.add("all", if: call.flags.bool("all"))
        return (try call.client.json("GET", "/containers/json", query).array ?? []).map { container in
            String((container["Names"]?.strings?.first ?? container["Id"]?.string ?? "").drop { $0 == "/" })
        }
    }

    /// One sample with the one before it, about a second apart, so that the share of processor time can be told.
    private static func sample(_ call: Invocation, _ name: String) throws -> JSONValue {
        let path = APIPath.container(name) + "/stats"
        return try call.client.json("GET", path, Query([("stream", "0")]))
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON

/// `swrun volume ls`
enum VolumeList {
    static let command = Command(
        "volume ls", aliases: ["volume list"], usage: "[OPTIONS]",
        "List volumes", arity: .none,
        flags: {
            [
                .bool("cluster", "Show cluster volumes only (not supported yet)"),
                .value(
                    "filter", short: "f", named: "filter", repeats: true,
                    "Show only what matches, e.g. dangling=true", check: Checks.filter),
                Flag.listFormat,
                .bool("quiet", short: "q", "Print names only"),
            ]
        },
        run: run)

    private static let list = ListFormat(
        [("Driver", "DRIVER"), ("Name", "VOLUME NAME")],
        others: [
            ("Availability", "AVAILABILITY"), ("Group", "GROUP"), ("Labels", "LABELS"), ("Links", "LINKS"),
            ("Mountpoint", "MOUNTPOINT"), ("Scope", "SCOPE"), ("Size", "SIZE"), ("Status", "STATUS"),
        ])

    static func run(_ call: Invocation) throws {
        try call.refuse("cluster")
        var query = Query()
        query.add(filters: ListFilters.pairs(call.flags))
        var volumes = try call.client.json("GET", "/volumes", query)["Volumes"]?.array ?? []
        volumes.sort { NaturalOrder.precedes($0["Name"]?.string ?? "", $1["Name"]?.string ?? "") }
        if call.flags.bool("quiet"), call.flags.optional("format") == nil {
            for volume in volumes { call.output.line(volume["Name"]?.string ?? "") }
            return
        }
        var format = call.flags.optional("format") ?? call.config.string("volumesFormat") ?? "table"
        if format == "raw" {
            format = call.flags.bool("quiet") ? "name: {{.Name}}" : "name: {{.Name}}\ndriver: {{.Driver}}\n"
        }
        call.output.write(try list.render(format, volumes.map(record)))
    }

    static func record(_ volume: JSONValue) -> TemplateRecord {
        let usage = volume["UsageData"]
        let size = usage?["Size"]?.int ?? -1
        return TemplateRecord(
            typeName: "*formatter.volumeContext",
            fields: [
                ("Availability", "N/A"), ("Driver", volume["Driver"] ?? ""), ("Group", "N/A"),
                ("Labels", .string(LabelText.joined(volume["Labels"]))),
                ("Links", .string(usage?["RefCount"]?.int.map { "\($0)" } ?? "N/A")),
                ("Mountpoint", volume["Mountpoint"] ?? ""), ("Name", volume["Name"] ?? ""),
                ("Scope", volume["Scope"] ?? ""),
                ("Size", .string(size < 0 ? "N/A" : SizeText.long(Double(size)))), ("Status", "N/A"),
            ], method: LabelText.method(volume["Labels"]))
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON
import LinuxSystem

/// `swrun network ls`
enum NetworkList {
    static let command = Command(
        "network ls", aliases: ["network list"], usage: "[OPTIONS]",
        "List networks", arity: .none,
        flags: {
            [
                .value(
                    "filter", short: "f", named: "filter", repeats: true,
                    "Show only what matches, e.g. driver=bridge", check: Checks.filter),
                Flag.listFormat,
                .bool("no-trunc", "Show IDs in full"),
                .bool("quiet", short: "q", "Print IDs only"),
            ]
        },
        run: run)

    private static let list = ListFormat(
        [
            ("ID", "NETWORK ID"), ("Name", "NAME"), ("Driver", "DRIVER"), ("Scope", "SCOPE"),
        ],
        others: [
            ("IPv4", "IPV4"), ("IPv6", "IPV6"), ("Internal", "INTERNAL"), ("Labels", "LABELS"),
            ("CreatedAt", "CREATED AT"),
        ])

    static func run(_ call: Invocation) throws {
        var query = Query()
        query.add(filters: ListFilters.pairs(call.flags))
        var networks = try call.client.json("GET", "/networks", query).array ?? []
        networks.sort { NaturalOrder.precedes($0["Name"]?.string ?? "", $1["Name"]?.string ?? "") }
        let isShort = !call.flags.bool("no-trunc")
        if call.flags.bool("quiet"), call.flags.optional("format") == nil {
            for network in networks {
                let id = network["Id"]?.string ?? ""
                call.output.line(isShort ? Ellipsis.id(id) : id)
            }
            return
        }
        var format = call.flags.optional("format") ?? call.config.string("networksFormat") ?? "table"
        if format == "raw" {
            format =
                call.flags.bool("quiet")
                ? "network_id: {{.ID}}"
                : "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n"
        }
        call.output.write(try list.render(format, networks.map { record($0, isShort: isShort) }))
    }

    private static func record(_ network: JSONValue, isShort: Bool) -> TemplateRecord {
        let id = network["Id"]?.string ?? ""
        let created = Timestamp(rfc3339: network["Created"]?.string ?? "").map(LocalTime.goTextNano) ?? ""
        func flag(_ key: String) -> JSONValue { .string(network[key]?.bool ?? false ? "true" : "false") }
        return TemplateRecord(
            typeName: "*network.networkContext",
            fields: [
                ("CreatedAt", .string(created)), ("Driver", network["Driver"] ?? ""),
                ("ID", .string(isShort ? Ellipsis.id(id) : id)), ("IPv4", flag("EnableIPv4")),
                ("IPv6", flag("EnableIPv6")), ("Internal", flag("Internal")),
                ("Labels", .string(LabelText.joined(network["Labels"]))), ("Name", network["Name"] ?? ""),
                ("Scope", network["Scope"] ?? ""),
            ], method: LabelText.method(network["Labels"]))
    }
}

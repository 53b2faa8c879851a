// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun container ls`
enum ContainerList {
    static let command = Command(
        "container ls", aliases: ["container list", "container ps", "ps"], usage: "[OPTIONS]",
        "List containers", arity: .none,
        flags: {
            [
                .bool("all", short: "a", "Include containers that are not running"),
                .value(
                    "filter", short: "f", named: "filter", repeats: true,
                    "Show only what matches, e.g. status=exited or name=web", check: Checks.filter),
                Flag.listFormat,
                .int("last", short: "n", default: -1, "Show the n newest containers, running or not"),
                .bool("latest", short: "l", "Show the newest container, running or not"),
                .bool("no-trunc", "Show IDs and commands in full"),
                .bool("quiet", short: "q", "Print IDs only"),
                .bool("size", short: "s", "Add a column with the sizes of the containers' files"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let flags = call.flags
        let format = format(call)
        var query = Query()
        query.add("all", if: flags.bool("all"))
        if flags.int("last") > 0 {
            query.add("limit", "\(flags.int("last"))")
        } else if flags.bool("latest") {
            query.add("limit", "1")
        }
        let needsSize = flags.bool("size") || (format.contains(text: ".Size") && !flags.bool("quiet"))
        query.add("size", if: needsSize)
        query.add(filters: ListFilters.pairs(flags))
        let containers = try call.client.json("GET", "/containers/json", query).array ?? []
        if flags.bool("quiet"), format == "table" {
            let isShort = !flags.bool("no-trunc")
            for container in containers {
                let id = container["Id"]?.string ?? ""
                call.output.line(isShort ? Ellipsis.id(id) : id)
            }
            return
        }
        let rows = containers.map { ContainerRow($0, truncates: !flags.bool("no-trunc")).record }
        var list = ContainerRow.list
        list.refusals = ("failed to parse template: ", "failed to execute template: ")
        if flags.bool("size") { list.defaultTable += "\t{{.Size}}" }
        call.output.write(try list.render(format, rows))
    }

    private static func format(_ call: Invocation) -> String {
        if let format = call.flags.optional("format"), !format.isEmpty {
            let isRaw = format == "raw"
            guard call.flags.bool("quiet") else { return isRaw ? raw(call.flags) : format }
            call.output.errorLine("WARNING: Ignoring custom format, because both --format and --quiet are set.")
            return isRaw ? "container_id: {{.ID}}" : "table"
        }
        return call.flags.bool("quiet") ? "table" : call.config.string("psFormat") ?? "table"
    }

    /// `--format raw`: a line for each field.
    private static func raw(_ flags: FlagValues) -> String {
        let size = flags.bool("size") ? "size: {{.Size}}\n" : ""
        return "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n"
            + "state: {{.State}}\nstatus: {{.Status}}\nnames: {{.Names}}\n"
            + "labels:{{pad .Labels 1 0}}\nports:{{pad .Ports 1 0}}\n" + size
    }
}

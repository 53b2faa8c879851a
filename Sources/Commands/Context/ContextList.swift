// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON
import LinuxSystem

/// `swrun context ls`
enum ContextList {
    static let command = Command(
        "context ls", aliases: ["context list"], usage: "[OPTIONS]", "List the contexts", arity: .none,
        flags: { [Flag.listFormat, .bool("quiet", short: "q", "Print names only")] },
        run: run)

    private static let list = ListFormat(
        [("Name", "NAME"), ("Description", "DESCRIPTION"), ("DockerEndpoint", "DOCKER ENDPOINT"), ("Error", "ERROR")],
        others: [("Current", "CURRENT")])

    private struct Row {
        var name: String
        var description: String
        var host: String
        var error = ""
    }

    private static func run(_ call: Invocation) throws {
        let current = call.session.contextName
        var rows: [Row] = []
        for (name, metadata) in try ContextStore(call.config).list() {
            rows.append(
                Row(
                    name: name, description: metadata["Metadata"]?["Description"]?.string ?? "",
                    host: metadata["Endpoints"]?["docker"]?["Host"]?.string ?? ""))
        }
        let own = current == "default" ? call.client.host : DaemonHost.standard
        rows.append(
            Row(name: "default", description: "Current DOCKER_HOST based configuration", host: own.description))
        if !rows.contains(where: { $0.name == current }) {
            rows.append(Row(name: current, description: "", host: "", error: "context not found"))
        }
        rows.sort { NaturalOrder.precedes($0.name, $1.name) }
        if call.flags.bool("quiet") {
            for row in rows { call.output.line(row.name) }
        } else {
            let format = call.flags.optional("format") ?? "table"
            let isTable = format.hasPrefix("table")
            call.output.write(try list.render(format, rows.map { record($0, current, isTable) }))
        }
        if call.session.ignoresContexts {
            call.output.errorLine(
                "Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set "
                    + "the global --context flag, or unset DOCKER_HOST environment variable.")
        }
    }

    /// Tables mark the context in use; elsewhere `Current` says which it is.
    private static func record(_ row: Row, _ current: String, _ isTable: Bool) -> TemplateRecord {
        let isCurrent = row.name == current
        return TemplateRecord(
            typeName: "*formatter.clientContextContext",
            fields: [
                ("Current", .bool(isCurrent)), ("Description", .string(row.description)),
                ("DockerEndpoint", .string(row.host)), ("Error", .string(row.error)),
                ("Name", .string(row.name + (isTable && isCurrent ? " *" : ""))),
            ])
    }
}

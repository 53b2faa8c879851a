// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON
import LinuxSystem

/// `swrun system events`
enum SystemEvents {
    static let command = Command(
        "system events", aliases: ["events"], usage: "[OPTIONS]",
        "Print what happens to containers, images, networks and volumes", arity: .none,
        flags: {
            [
                .value(
                    "filter", short: "f", named: "filter", repeats: true,
                    "Show only what matches, e.g. event=die or container=web", check: Checks.filter),
                Flag.inspectFormat.withoutShort,
                .string("since", "Begin with past events from this time on: \(TimeArgument.help)"),
                .string("until", "End at this time: \(TimeArgument.help)"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let format = call.flags.optional("format") ?? ""
        let template = try template(format)
        var query = Query()
        query.add(filters: ListFilters.pairs(call.flags))
        if let since = call.flags.optional("since") { query.add("since", try TimeArgument.parse(since)) }
        if let until = call.flags.optional("until") { query.add("until", try TimeArgument.parse(until)) }
        let lines = JSONLines(try call.client.send("GET", "/events", query))
        while let event = try lines.next() {
            if let template {
                call.output.line(try template.render(.record(record(event))))
            } else {
                call.output.line(format == "json" ? event.serialized() : text(event))
            }
        }
    }

    /// The template is tried before the daemon is asked: without an event nobody would learn of a mistake in it.
    private static func template(_ format: String) throws -> Template? {
        if format.isEmpty || format == "json" { return nil }
        do throws(TemplateError) {
            let template = try Template(ListFormat.expandingEscapes(format))
            let actor: JSONValue = ["ID": "", "Attributes": .object([])]
            _ = try template.render(.record(record(["Actor": actor])))
            return template
        } catch {
            throw CommandFailure("Error parsing format: " + error.message, exitCode: 64)
        }
    }

    /// The event under the names of the fields that templates know; JSON has some of them in lower case.
    private static func record(_ event: JSONValue) -> TemplateRecord {
        let empty: JSONValue = ""
        return TemplateRecord(
            typeName: "*events.Message",
            fields: [
                ("Status", event["status"] ?? empty), ("ID", event["id"] ?? empty), ("From", event["from"] ?? empty),
                ("Type", event["Type"] ?? empty), ("Action", event["Action"] ?? empty),
                ("Actor", event["Actor"] ?? .null), ("Scope", event["scope"] ?? empty), ("Time", event["time"] ?? 0),
                ("TimeNano", event["timeNano"] ?? 0),
            ], json: event)
    }

    /// `2026-08-01T10:00:00.000000000+02:00 container start <id> (image=busybox, name=x)`
    private static func text(_ event: JSONValue) -> String {
        let time = Timestamp(nanoseconds: event["timeNano"]?.int ?? (event["time"]?.int ?? 0) * 1_000_000_000)
        let actor = event["Actor"]
        var line =
            LocalTime.rfc3339Nano(time) + " " + (event["Type"]?.string ?? "") + " " + (event["Action"]?.string ?? "")
        line += " " + (actor?["ID"]?.string ?? "")
        let attributes = (actor?["Attributes"]?.stringPairs ?? []).sorted { $0.key < $1.key }
        if !attributes.isEmpty {
            line += " (" + attributes.map { $0.key + "=" + $0.value }.joined(separator: ", ") + ")"
        }
        return line
    }
}

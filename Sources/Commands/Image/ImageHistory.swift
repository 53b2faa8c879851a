// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON
import LinuxSystem

/// `swrun image history`
enum ImageHistory {
    static let command = Command(
        "image history", aliases: ["history"], usage: "[OPTIONS] IMAGE",
        "List the build steps that made an image", arity: .exactly(1),
        flags: {
            [
                Flag.listFormat,
                .bool(
                    "human", short: "H", default: true, "Print ages and rounded sizes; =false prints dates and bytes"),
                .bool("no-trunc", "Show IDs and commands in full"),
                .platform("Platform whose history to show"),
                .bool("quiet", short: "q", "Print IDs only"),
            ]
        },
        run: run)

    private static let list = ListFormat(
        [
            ("ID", "IMAGE"), ("CreatedSince", "CREATED"), ("CreatedBy", "CREATED BY"), ("Size", "SIZE"),
            ("Comment", "COMMENT"),
        ], others: [("CreatedAt", "CREATED AT")])

    static func run(_ call: Invocation) throws {
        var query = Query()
        if let platform = call.flags.optional("platform") {
            query.add("platform", ImagePlatform.json(platform).serialized())
        }
        let path = APIPath.image(call.arguments[0]) + "/history"
        let layers = try call.client.json("GET", path, query).array ?? []
        let isShort = !call.flags.bool("no-trunc")
        if call.flags.bool("quiet") {
            for layer in layers {
                let id = layer["Id"]?.string ?? ""
                call.output.line(isShort ? Ellipsis.id(id) : id)
            }
            return
        }
        let isHuman = call.flags.bool("human")
        var list = list
        if !isHuman { list.defaultTable = list.defaultTable.replacingText(".CreatedSince", with: ".CreatedAt") }
        let rows = layers.map { record($0, isShort: isShort, isHuman: isHuman) }
        call.output.write(try list.render(call.flags.optional("format") ?? "table", rows))
    }

    private static func record(_ layer: JSONValue, isShort: Bool, isHuman: Bool) -> TemplateRecord {
        let id = layer["Id"]?.string ?? ""
        let created = Timestamp(nanoseconds: (layer["Created"]?.int ?? 0) * 1_000_000_000)
        let date = LocalTime.rfc3339(created)
        let age = DurationText.human(seconds: Timestamp.now.seconds - created.seconds) + " ago"
        let since = created.seconds > 0 ? age : "N/A"
        let command = (layer["CreatedBy"]?.string ?? "").replacingText("\t", with: " ")
        let bytes = layer["Size"]?.int ?? 0
        return TemplateRecord(
            typeName: "*image.historyContext",
            fields: [
                ("ID", .string(isShort ? Ellipsis.id(id) : id)),
                ("CreatedSince", .string(isHuman ? since : date)),
                ("CreatedAt", .string(date)),
                ("CreatedBy", .string(isShort ? Ellipsis.cut(command, 45) : command)),
                ("Size", .string(isHuman ? SizeText.short(Double(bytes)) : String(bytes))),
                ("Comment", .string(layer["Comment"]?.string ?? "")),
            ])
    }
}

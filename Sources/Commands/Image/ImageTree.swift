// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON

/// `swrun image ls --tree`: each image once, with its names below one another and a mark if a container uses it.
enum ImageTree {
    private static let list = ListFormat([
        ("Image", "IMAGE"), ("ID", "ID"), ("DiskUsage", "DISK USAGE"), ("ContentSize", "CONTENT SIZE"),
        ("Extra", "EXTRA"),
    ])

    /// - Parameter query: what the list's other flags ask for.
    static func show(_ call: Invocation, _ query: Query) throws {
        for flag in ["quiet", "no-trunc", "digests", "format"] where call.flags.isSet(flag) {
            let name = flag == "digests" ? "show-digest" : flag
            throw CommandFailure("--\(name) is not yet supported with --tree")
        }
        var query = query
        query.add("manifests", if: true)
        let images = try call.client.json("GET", "/images/json", query).array ?? []
        call.output.errorLine(
            "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.")
        call.output.write(try list.render("table", images.flatMap(rows)))
    }

    private static func rows(_ image: JSONValue) -> [TemplateRecord] {
        let names = image["RepoTags"]?.strings ?? []
        return (names.isEmpty ? ["<untagged>"] : names).enumerated().map { index, name in
            func once(_ text: String) -> JSONValue { .string(index == 0 ? text : "") }
            return TemplateRecord(
                typeName: "*image.treeView",
                fields: [
                    ("Image", .string(name)), ("ID", once(Ellipsis.id(image["Id"]?.string ?? ""))),
                    ("DiskUsage", once(SizeText.short(Double(max(0, image["Size"]?.int ?? 0))))),
                    ("ContentSize", once("0B")), ("Extra", once(image["Containers"]?.int ?? 0 > 0 ? "U" : "")),
                ])
        }
    }
}

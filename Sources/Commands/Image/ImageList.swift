// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun image ls`
enum ImageList {
    static let command = Command(
        "image ls", aliases: ["image list", "images"], usage: "[OPTIONS] [REPOSITORY[:TAG]]",
        "List images", arity: .atMost(1),
        flags: {
            [
                .bool("all", short: "a", "Include images that are only a step of another one"),
                .bool("digests", "Add a column with the digests of the images' manifests"),
                .value(
                    "filter", short: "f", named: "filter", repeats: true,
                    "Show only what matches, e.g. dangling=true or label=<key>", check: Checks.filter),
                Flag.listFormat,
                .bool("no-trunc", "Show IDs in full"),
                .bool("quiet", short: "q", "Print IDs only"),
                .bool("tree", "List each image with all its names (experimental)"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let flags = call.flags
        var filters = ListFilters.pairs(flags)
        if let name = call.arguments.first { filters.append(("reference", name)) }
        var query = Query()
        query.add("all", if: flags.bool("all"))
        query.add(filters: filters)
        if flags.bool("tree") { return try ImageTree.show(call, query) }
        let images = try call.client.json("GET", "/images/json", query).array ?? []
        let isShort = !flags.bool("no-trunc")
        let format = format(call)
        let rows = images.flatMap {
            ImageRow.rows(
                $0, truncates: isShort, showsDigests: flags.bool("digests") || format.contains(text: "{{.Digest}}"))
        }
        if flags.bool("quiet"), format == "table" {
            for row in rows { call.output.line(row.id) }
            return
        }
        let list = flags.bool("digests") ? ImageRow.listWithDigests : ImageRow.list
        call.output.write(try list.render(format, rows.map(\.record)))
    }

    private static func format(_ call: Invocation) -> String {
        let isQuiet = call.flags.bool("quiet")
        let given = call.flags.optional("format") ?? (isQuiet ? nil : call.config.string("imagesFormat"))
        guard given == "raw" else { return given ?? "table" }
        if isQuiet { return "image_id: {{.ID}}" }
        let digest = call.flags.bool("digests") ? "digest: {{.Digest}}\n" : ""
        return "repository: {{.Repository}}\ntag: {{.Tag}}\n" + digest
            + "image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n"
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON

/// `swrun search`
enum Search {
    static let command = Command(
        "search", usage: "[OPTIONS] TERM", "Search Docker Hub for images", arity: .exactly(1),
        flags: {
            [
                .value(
                    "filter", short: "f", named: "filter", repeats: true,
                    "Filter output based on conditions provided", check: Checks.filter),
                .string("format", "Pretty-print search using a Go template"),
                .int("limit", "Max number of search results"),
                .bool("no-trunc", "Don't truncate output"),
            ]
        },
        run: run)

    private static let list = ListFormat(
        [
            ("Name", "NAME"), ("Description", "DESCRIPTION"), ("StarCount", "STARS"), ("IsOfficial", "OFFICIAL"),
        ], others: [("IsAutomated", "AUTOMATED")])

    /// Columns of a description in the table.
    private static let descriptionColumns = 45

    static func run(_ call: Invocation) throws {
        let term = call.arguments[0]
        var query = Query([("term", term)])
        if let limit = call.flags.optionalInt("limit"), limit > 0 { query.add("limit", "\(limit)") }
        query.add(filters: ListFilters.pairs(call.flags))
        let host = term.cut("/").map(\.0).flatMap {
            $0.contains(".") || $0.contains(":") || $0 == "localhost" ? $0 : nil
        }
        let login = RegistryLogin(config: call.config).header(forHost: host ?? "docker.io")
        let response = try call.client.send("GET", "/images/search", query, headers: [("X-Registry-Auth", login)])
        let results = try response.json().array ?? []
        let isShort = !call.flags.bool("no-trunc")
        let format = call.flags.optional("format") ?? "table"
        call.output.write(try list.render(format, results.map { record($0, isShort: isShort) }))
    }

    private static func record(_ result: JSONValue, isShort: Bool) -> TemplateRecord {
        let description = String((result["description"]?.string ?? "").map { $0 == "\n" || $0 == "\r" ? " " : $0 })
        let mark = { (name: String) in JSONValue.string(result[name]?.bool == true ? "[OK]" : "") }
        return TemplateRecord(
            typeName: "*search.searchContext",
            fields: [
                (
                    "Description",
                    .string(isShort ? Ellipsis.cut(description, descriptionColumns) : description)
                ),
                ("IsAutomated", mark("is_automated")), ("IsOfficial", mark("is_official")),
                ("Name", result["name"] ?? ""), ("StarCount", .string("\(result["star_count"]?.int ?? 0)")),
            ])
    }
}

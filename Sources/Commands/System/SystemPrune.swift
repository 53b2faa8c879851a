// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun system prune`
enum SystemPrune {
    static let command = Command(
        "system prune", usage: "[OPTIONS]",
        "Remove stopped containers, unused networks, unnamed images", arity: .none,
        flags: {
            [
                .bool("all", short: "a", "Remove every image that no container uses, named or not"),
                .pruneFilter("label=<key>=<value>"),
                .removesWithoutAsking,
                .bool("volumes", "Remove unused anonymous volumes too"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        if call.flags.bool("volumes"), ListFilters.pruning(call).contains(where: { $0.key == "until" }) {
            throw CommandFailure("ERROR: The \"until\" filter is not supported with \"--volumes\"")
        }
        guard try Prompt.confirm(call, warning(call)) else { return }
        var query = Query()
        let filters = ListFilters.pruning(call)
        query.add(filters: filters)
        var space: Int64 = 0
        let containers = try call.client.json("POST", "/containers/prune", query)
        PruneReport.show(call, "Deleted Containers:", containers["ContainersDeleted"]?.strings ?? [])
        let networks = try call.client.json("POST", "/networks/prune", query)
        PruneReport.show(call, "Deleted Networks:", networks["NetworksDeleted"]?.strings ?? [])
        space += containers["SpaceReclaimed"]?.int ?? 0
        if call.flags.bool("volumes") {
            let volumes = try call.client.json("POST", "/volumes/prune", query)
            PruneReport.show(call, "Deleted Volumes:", volumes["VolumesDeleted"]?.strings ?? [])
            space += volumes["SpaceReclaimed"]?.int ?? 0
        }
        var imageQuery = Query()
        imageQuery.add(filters: filters + [("dangling", call.flags.bool("all") ? "false" : "true")])
        let images = try call.client.json("POST", "/images/prune", imageQuery)
        PruneReport.show(call, "Deleted Images:", PruneReport.imageLines(images))
        space += images["SpaceReclaimed"]?.int ?? 0
        var cacheQuery = Query()
        cacheQuery.add("all", if: call.flags.bool("all"))
        cacheQuery.add(filters: filters)
        space += try BuilderPrune.prune(call, cacheQuery)
        call.output.line("Total reclaimed space: " + SizeText.long(Double(space)))
    }

    private static func warning(_ call: Invocation) -> String {
        var lines = [
            "WARNING! This will remove:", "  - all stopped containers",
            "  - all networks not used by at least one container",
        ]
        if call.flags.bool("volumes") { lines.append("  - all anonymous volumes not used by at least one container") }
        lines.append(
            call.flags.bool("all")
                ? "  - all images without at least one container associated to them" : "  - all dangling images")
        lines.append(call.flags.bool("all") ? "  - all build cache" : "  - unused build cache")
        let filters = call.flags.list("filter")
        if !filters.isEmpty {
            lines += ["", "  Items to be pruned will be filtered with:"] + filters.map { "  - " + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

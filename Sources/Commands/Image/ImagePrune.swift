// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun image prune`
enum ImagePrune {
    static let command = Command(
        "image prune", usage: "[OPTIONS]",
        "Remove images that no container uses", arity: .none,
        flags: {
            [
                .bool("all", short: "a", "Remove named images too, not only those without a name"),
                .pruneFilter("until=24h or label=<key>"),
                .removesWithoutAsking,
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let all = call.flags.bool("all")
        let warning =
            all
            ? "WARNING! This will remove all images without at least one container associated to them."
            : "WARNING! This will remove all dangling images."
        guard try Prompt.confirm(call, warning) else { return }
        var query = Query()
        query.add(filters: ListFilters.pruning(call) + [("dangling", all ? "false" : "true")])
        let report = try call.client.json("POST", "/images/prune", query)
        PruneReport.show(call, "Deleted Images:", PruneReport.imageLines(report))
        PruneReport.showSpace(call, report)
    }
}

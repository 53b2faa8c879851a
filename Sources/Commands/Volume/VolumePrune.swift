// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun volume prune`
enum VolumePrune {
    static let command = Command(
        "volume prune", usage: "[OPTIONS]",
        "Remove volumes that no container uses", arity: .none,
        flags: {
            [
                .bool("all", short: "a", "Remove named volumes too, not only anonymous ones"),
                .pruneFilter("label=<key>"),
                .removesWithoutAsking,
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let all = call.flags.bool("all")
        if all, let given = ListFilters.pairs(call.flags).first(where: { $0.key == "all" }) {
            throw CommandFailure("conflicting options: cannot specify both --all and --filter all=" + given.value)
        }
        // Daemons before API 1.42 know no other way.
        let version = try call.client.version()
        let removesNamed = all || APIVersion.isLess(version, "1.42")
        let warning =
            removesNamed
            ? "WARNING! This will remove all local volumes not used by at least one container."
            : "WARNING! This will remove anonymous local volumes not used by at least one container."
        guard try Prompt.confirm(call, warning) else { return }
        var filters = ListFilters.pruning(call)
        if all { filters.append(("all", "1")) }
        var query = Query()
        query.add(filters: filters)
        let report = try call.client.json("POST", "/volumes/prune", query)
        PruneReport.show(call, "Deleted Volumes:", report["VolumesDeleted"]?.strings ?? [])
        PruneReport.showSpace(call, report)
    }
}

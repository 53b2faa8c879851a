// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun network prune`
enum NetworkPrune {
    static let command = Command(
        "network prune", usage: "[OPTIONS]",
        "Remove networks that no container uses", arity: .none,
        flags: { [.pruneFilter("until=24h or label=<key>"), .removesWithoutAsking] },
        run: run)

    static func run(_ call: Invocation) throws {
        let warning = "WARNING! This will remove all custom networks not used by at least one container."
        guard try Prompt.confirm(call, warning) else { return }
        var query = Query()
        query.add(filters: ListFilters.pruning(call))
        let report = try call.client.json("POST", "/networks/prune", query)
        PruneReport.show(call, "Deleted Networks:", report["NetworksDeleted"]?.strings ?? [])
    }
}

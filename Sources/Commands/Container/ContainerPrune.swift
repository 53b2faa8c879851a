// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun container prune`
enum ContainerPrune {
    static let command = Command(
        "container prune", usage: "[OPTIONS]",
        "Remove every container that is not running", arity: .none,
        flags: { [.pruneFilter("until=24h or label=<key>"), .removesWithoutAsking] },
        run: run)

    static func run(_ call: Invocation) throws {
        guard try Prompt.confirm(call, "WARNING! This will remove all stopped containers.") else { return }
        var query = Query()
        query.add(filters: ListFilters.pruning(call))
        let report = try call.client.json("POST", "/containers/prune", query)
        PruneReport.show(call, "Deleted Containers:", report["ContainersDeleted"]?.strings ?? [])
        PruneReport.showSpace(call, report)
    }
}

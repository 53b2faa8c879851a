// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun builder prune`
enum BuilderPrune {
    static let command = Command(
        "builder prune", usage: "", "Remove what builds cached", arity: .none,
        flags: {
            [
                .bool("all", short: "a", "Remove all of the cache, also what builds still use"),
                .pruneFilter("until=24h"),
                .removesWithoutAsking,
                .value("keep-storage", named: "bytes", "Disk space that the cache may keep", check: Checks.bytes),
            ]
        },
        run: run)

    private static func run(_ call: Invocation) throws {
        let all = call.flags.bool("all")
        let warning =
            all
            ? "WARNING! This will remove all build cache."
            : "WARNING! This will remove all dangling build cache."
        guard try Prompt.confirm(call, warning) else { return }
        var query = Query()
        query.add("all", if: all)
        if let text = call.flags.optional("keep-storage") { query.add("keep-storage", "\(try SizeText.parse(text))") }
        query.add(filters: ListFilters.pruning(call))
        call.output.line("Total reclaimed space: " + SizeText.long(Double(try prune(call, query))))
    }

    /// The bytes freed; a daemon that keeps no build cache frees none.
    static func prune(_ call: Invocation, _ query: Query) throws -> Int64 {
        do throws(ClientError) {
            let report = try call.client.json("POST", "/build/prune", query)
            PruneReport.show(call, "Deleted build cache objects:", report["CachesDeleted"]?.strings ?? [])
            return report["SpaceReclaimed"]?.int ?? 0
        } catch {
            guard error.status == 404 || error.status == 501 else { throw error }
            return 0
        }
    }
}

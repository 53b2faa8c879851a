// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON

/// What prune commands print.
enum PruneReport {
    /// A title, the names and an empty line; nothing when nothing was removed.
    static func show(_ call: Invocation, _ title: String, _ names: [String]) {
        if names.isEmpty { return }
        call.output.write(title + "\n" + names.map { $0 + "\n" }.joined() + "\n")
    }

    static func showSpace(_ call: Invocation, _ report: JSONValue) {
        call.output.line("Total reclaimed space: " + SizeText.long(Double(report["SpaceReclaimed"]?.int ?? 0)))
    }

    static func imageLines(_ report: JSONValue) -> [String] {
        (report["ImagesDeleted"]?.array ?? []).map { item in
            if let untagged = item["Untagged"]?.string, !untagged.isEmpty { return "untagged: " + untagged }
            return "deleted: " + (item["Deleted"]?.string ?? "")
        }
    }
}

extension Flag {
    /// `--filter` of the prune commands.
    static func pruneFilter(_ example: String) -> Flag {
        .value(
            "filter", named: "filter", repeats: true, "Remove only what matches, e.g. " + example, check: Checks.filter)
    }

    static var removesWithoutAsking: Flag { .bool("force", short: "f", "Remove without asking") }
}

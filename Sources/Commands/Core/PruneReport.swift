// SPDX-License-Identifier: Apache-2.0
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

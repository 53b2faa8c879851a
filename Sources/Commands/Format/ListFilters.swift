// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `--filter key=value` flags.
enum ListFilters {
    static func pairs(_ flags: FlagValues) -> [(key: String, value: String)] {
        flags.list("filter").compactMap { entry in
            guard let (key, value) = entry.cut("=") else { return nil }
            return (key.trimmed.lowercased(), value.trimmed)
        }
    }

    /// With the filters that the configuration adds to every prune.
    static func pruning(_ call: Invocation) -> [(key: String, value: String)] {
        var filters = pairs(call.flags)
        for entry in call.config.values["pruneFilters"]?.strings ?? [] {
            guard let (key, value) = entry.cut("=") else { continue }
            // A filter of the command line cancels its opposite in the configuration.
            let opposite = key == "label" ? "label!" : (key == "label!" ? "label" : "")
            if filters.contains(where: { $0.key == opposite && $0.value == value }) { continue }
            filters.append((key, value))
        }
        return filters
    }
}

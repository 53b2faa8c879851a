// SPDX-License-Identifier: Apache-2.0
import JSON

/// How the layers of a container or an image are mounted: the snapshot's answer, kept for later starts.
package struct RootMount: Sendable, Equatable {
    package var type: String
    package var source: String
    package var options: [String]
}

// As the database keeps it.
extension RootMount {
    var json: JSONValue { ["type": .string(type), "source": .string(source), "options": .strings(options)] }

    init(json: JSONValue) {
        self.init(
            type: json["type"]?.string ?? "", source: json["source"]?.string ?? "",
            options: json["options"]?.strings ?? [])
    }
}

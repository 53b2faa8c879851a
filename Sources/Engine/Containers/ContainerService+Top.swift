// SPDX-License-Identifier: Apache-2.0
package import JSON
import LinuxSystem

extension ContainerService {
    /// The processes of a container as the host's ps(1) shows them.
    package func top(_ reference: String, arguments: String) async throws -> JSONValue {
        let container = try find(reference)
        try checkRunning(container)
        let pids = try await supervisor.taskPIDs(container.id)
        let given = arguments.split(separator: " ").map { String($0) }
        let output = try await ProgramOutput.run("ps", given.isEmpty ? ["-ef"] : given)
        let table = try ProcessTable(parsing: output, pids: pids.map { String($0) })
        publish("top", container.record)
        return ["Processes": .array(table.rows.map { .strings($0) }), "Titles": .strings(table.titles)]
    }
}

/// The output of ps(1), cut into columns.
struct ProcessTable: Sendable, Equatable {
    var titles: [String]
    var rows: [[String]]

    /// Keeps the rows of these pids. The last column takes the rest of a line, with its spaces.
    init(parsing output: String, pids: [String]) throws(EngineError) {
        let lines = output.split(separator: "\n")
        titles = lines.first.map { Self.fields($0, limit: .max) } ?? []
        guard let pidColumn = titles.firstIndex(of: "PID") else {
            throw .internal("Couldn't find PID field in ps output")
        }
        let limit = titles.count
        rows = lines.dropFirst().map { Self.fields($0, limit: limit) }.filter { row in
            row.count > pidColumn && pids.contains(row[pidColumn])
        }
    }

    private static func fields(_ line: Substring, limit: Int) -> [String] {
        var fields = line.split(separator: " ", maxSplits: limit - 1, omittingEmptySubsequences: true)
            .map { String($0) }
        if fields.count == limit, let last = fields.last {
            fields[limit - 1] = String(last.drop { $0 == " " })
        }
        return fields
    }
}

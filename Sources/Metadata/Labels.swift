// SPDX-License-Identifier: Apache-2.0
import JSON

/// String pairs that users attach to a record, kept in one column as a JSON object.
package typealias Labels = [String: String]

extension Value {
    /// The column value for `labels`.
    package static func labels(_ labels: Labels) -> Value {
        .text(JSONValue.sorted(labels.map { ($0.key, .string($0.value)) }).serialized())
    }
}

extension Row {
    /// Reads a column that `Value.labels` wrote.
    package func labels(_ name: String) throws(DatabaseError) -> Labels {
        let text = try text(name)
        guard let json = try? JSONValue(parsing: text), let pairs = json.stringPairs else {
            throw DatabaseError.unexpectedColumn(name, wanted: "labels")
        }
        return Labels(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}

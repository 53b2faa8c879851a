// SPDX-License-Identifier: Apache-2.0

/// One row of a query's answer: values by position or by column name.
package struct Row: Sendable, Equatable {
    package let columns: [String]
    package let values: [Value]

    /// The value at `index`; null when there is no such column.
    package subscript(index: Int) -> Value {
        values.indices.contains(index) ? values[index] : .null
    }

    /// The value of the first column called `name`; null when there is none.
    package subscript(name: String) -> Value {
        guard let index = columns.firstIndex(of: name) else { return .null }
        return values[index]
    }

    /// The text of a column that must hold text.
    package func text(_ name: String) throws(DatabaseError) -> String {
        guard let value = self[name].textValue else { throw DatabaseError.unexpectedColumn(name, wanted: "text") }
        return value
    }

    /// The integer of a column that must hold one.
    package func int64(_ name: String) throws(DatabaseError) -> Int64 {
        guard let value = self[name].int64Value else { throw DatabaseError.unexpectedColumn(name, wanted: "integer") }
        return value
    }

    /// The bytes of a column that must hold a blob.
    package func blob(_ name: String) throws(DatabaseError) -> [UInt8] {
        guard let value = self[name].blobValue else { throw DatabaseError.unexpectedColumn(name, wanted: "blob") }
        return value
    }
}

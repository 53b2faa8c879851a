// SPDX-License-Identifier: Apache-2.0

/// The open transaction inside `Database.write` or `Database.read`. Not to be kept: it cannot be copied or stored.
package struct Transaction: ~Copyable {
    private let connection: Connection

    init(_ connection: Connection) {
        self.connection = connection
    }

    /// Runs one statement; returns how many rows it changed.
    @discardableResult
    package func execute(_ sql: String, _ parameters: [Value] = []) throws(DatabaseError) -> Int {
        _ = try connection.run(sql, parameters)
        return connection.changes
    }

    /// Runs one query; returns all its rows.
    package func query(_ sql: String, _ parameters: [Value] = []) throws(DatabaseError) -> [Row] {
        try connection.run(sql, parameters)
    }

    /// Runs one query; returns its first row.
    package func first(_ sql: String, _ parameters: [Value] = []) throws(DatabaseError) -> Row? {
        try connection.run(sql, parameters).first
    }

    /// Runs several statements without parameters and without results, separated by semicolons.
    package func runScript(_ script: String) throws(DatabaseError) {
        try connection.runScript(script)
    }

    /// The row id of the last insert in this transaction.
    package var lastInsertedRowID: Int64 { connection.lastInsertedRowID }
}

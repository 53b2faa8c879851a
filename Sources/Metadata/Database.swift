// SPDX-License-Identifier: Apache-2.0
import CSQLite
import Glibc
package import LinuxSystem
import Synchronization

/// A SQLite file of durable records. Safe to use from any thread; calls run one after the other.
///
/// A committed `write` has reached the disk (WAL with synchronous=FULL, checked at opening).
package final class Database: Sendable {
    private let lock: Mutex<Connection>

    /// Opens or creates the database, readable by its owner only, and applies `migrations`: entry n (counted from 1)
    /// takes the schema from version n-1 to n. A file of a newer version than we know is refused.
    package init(path: FilePath, migrations: [String] = []) throws(DatabaseError) {
        let connection = try Connection(path: path.string)
        _ = Glibc.chmod(path.string, 0o600)  // the -wal and -shm files take the mode of the database
        try Self.configure(connection)
        try Self.migrate(connection, migrations)
        lock = Mutex(connection)
    }

    /// Brings the tables of one component of a shared database to their newest form: entry n (counted from 1) takes the
    /// component's schema from version n-1 to n.
    package func migrate(component: String, _ migrations: [String]) throws {
        try write { transaction in
            try transaction.execute(
                "CREATE TABLE IF NOT EXISTS component_versions (component TEXT PRIMARY KEY, version INTEGER NOT NULL)")
            let row = try transaction.first(
                "SELECT version FROM component_versions WHERE component = ?", [.text(component)])
            let version = Int(row?[0].int64Value ?? 0)
            guard version <= migrations.count else { throw Self.tooNew(component, version, migrations.count) }
            guard version < migrations.count else { return }
            for step in version..<migrations.count { try transaction.runScript(migrations[step]) }
            try transaction.execute(
                "INSERT OR REPLACE INTO component_versions VALUES (?, ?)",
                [.text(component), .int64(Int64(migrations.count))])
        }
    }

    private static func tooNew(_ name: String, _ version: Int, _ known: Int) -> DatabaseError {
        DatabaseError(
            operation: "open database", path: name, code: SQLITE_SCHEMA,
            message: "schema version \(version) is newer than the \(known) this program knows")
    }

    /// Runs `body` in one transaction that is committed durably when it returns and undone when it throws.
    package func write<R: Sendable>(_ body: (borrowing Transaction) throws -> R) throws -> R {
        try transact(begin: "BEGIN IMMEDIATE", body).get()
    }

    /// Runs `body` in one transaction that sees a single state of the database.
    package func read<R: Sendable>(_ body: (borrowing Transaction) throws -> R) throws -> R {
        try transact(begin: "BEGIN", body).get()
    }

    /// Runs one statement in a transaction of its own; returns how many rows it changed.
    @discardableResult
    package func execute(_ sql: String, _ parameters: [Value] = []) throws -> Int {
        try write { try $0.execute(sql, parameters) }
    }

    /// Runs one query; returns all its rows.
    package func query(_ sql: String, _ parameters: [Value] = []) throws -> [Row] {
        try read { try $0.query(sql, parameters) }
    }

    /// A `Result` rather than `throws`: the optimiser of Swift 6.3 crashes on a throwing generic closure in `withLock`.
    private func transact<R: Sendable>(
        begin: String, _ body: (borrowing Transaction) throws -> R
    ) -> Result<R, any Error> {
        lock.withLock { connection in
            Result {
                _ = try connection.run(begin, [])
                do {
                    let result = try body(Transaction(connection))
                    _ = try connection.run("COMMIT", [])
                    return result
                } catch {
                    // The failed statement may have ended the transaction itself (disk full): nothing to undo then.
                    _ = try? connection.run("ROLLBACK", [])
                    throw error
                }
            }
        }
    }

    private static func configure(_ connection: Connection) throws(DatabaseError) {
        _ = try connection.run("PRAGMA busy_timeout = 10000", [])
        try expect(connection, "PRAGMA journal_mode = WAL", .text("wal"))
        _ = try connection.run("PRAGMA synchronous = FULL", [])
        try expect(connection, "PRAGMA synchronous", .int64(2))
        _ = try connection.run("PRAGMA foreign_keys = ON", [])
    }

    private static func expect(_ connection: Connection, _ sql: String, _ value: Value) throws(DatabaseError) {
        let found = try connection.run(sql, []).first?[0]
        guard found == value else {
            throw DatabaseError(
                operation: sql, path: connection.path, code: SQLITE_ERROR, message: "the database answered otherwise")
        }
    }

    private static func migrate(_ connection: Connection, _ migrations: [String]) throws(DatabaseError) {
        guard !migrations.isEmpty else { return }
        let version = try connection.run("PRAGMA user_version", []).first?[0].int64Value ?? 0
        guard version <= migrations.count else {
            throw tooNew(connection.path, Int(version), migrations.count)
        }
        for step in Int(version)..<migrations.count {
            try connection.runScript("BEGIN IMMEDIATE")
            do throws(DatabaseError) {
                try connection.runScript("\(migrations[step]);\nPRAGMA user_version = \(step + 1);\nCOMMIT;")
            } catch {
                try? connection.runScript("ROLLBACK")
                throw error
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CSQLite
import Synchronization

/// A SQLite handle with its prepared statements. Used by one thread at a time: `Database` holds the lock.
///
/// Pointers are kept as addresses, because a C pointer is not Sendable and this object is handed between threads.
final class Connection: Sendable {
    let path: String
    private let handle: Int
    private let statements = Mutex<[String: Int]>([:])

    private static let cachedStatements = 200

    /// Opens or creates the file; the caller sets the pragmas.
    init(path: String) throws(DatabaseError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let message = Self.message(code, opened)
            sqlite3_close_v2(opened)
            throw DatabaseError(operation: "open database", path: path, code: code, message: message)
        }
        self.path = path
        handle = Int(bitPattern: opened)
    }

    deinit {
        for statement in statements.withLock({ $0.values }) { sqlite3_finalize(OpaquePointer(bitPattern: statement)) }
        sqlite3_close_v2(pointer)
    }

    private var pointer: OpaquePointer? { OpaquePointer(bitPattern: handle) }

    /// Rows that the last statement inserted, changed or deleted.
    var changes: Int { Int(sqlite3_changes64(pointer)) }

    /// The row id of the last insert.
    var lastInsertedRowID: Int64 { sqlite3_last_insert_rowid(pointer) }

    /// Runs one statement to its end and returns all its rows.
    func run(_ sql: String, _ parameters: [Value]) throws(DatabaseError) -> [Row] {
        let statement = try Statement(prepared(sql), sql: sql, connection: self)
        defer { statement.reset() }
        try statement.bind(parameters)
        return try statement.rows()
    }

    /// Runs several statements without parameters, as a schema has.
    func runScript(_ script: String) throws(DatabaseError) {
        let code = sqlite3_exec(pointer, script, nil, nil, nil)
        guard code != SQLITE_OK else { return }
        throw DatabaseError(
            operation: "run schema script", path: path, code: code, message: Self.message(code, pointer))
    }

    func check(_ code: Int32, _ operation: String) throws(DatabaseError) {
        guard code != SQLITE_OK else { return }
        throw DatabaseError(
            operation: operation, path: path, code: code, message: Self.message(code, pointer))
    }

    private func prepared(_ sql: String) throws(DatabaseError) -> OpaquePointer {
        if let known = statements.withLock({ $0[sql] }), let statement = OpaquePointer(bitPattern: known) {
            return statement
        }
        var statement: OpaquePointer?
        try check(
            sqlite3_prepare_v3(pointer, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil), "prepare \(sql)")
        guard let statement else {
            throw DatabaseError(operation: "prepare", path: path, code: SQLITE_MISUSE, message: "empty statement")
        }
        remember(sql, Int(bitPattern: statement))
        return statement
    }

    /// Keeps a statement for its next use; the cache starts anew when it is full, which only generated SQL can cause.
    private func remember(_ sql: String, _ statement: Int) {
        statements.withLock { cache in
            if cache.count >= Self.cachedStatements {
                for old in cache.values { sqlite3_finalize(OpaquePointer(bitPattern: old)) }
                cache.removeAll()
            }
            cache[sql] = statement
        }
    }

    private static func message(_ code: Int32, _ pointer: OpaquePointer?) -> String {
        guard let pointer, let text = sqlite3_errmsg(pointer) else { return String(cString: sqlite3_errstr(code)) }
        return String(cString: text)
    }
}

// SPDX-License-Identifier: Apache-2.0
import CSQLite

/// A prepared statement while it runs. Owned by the connection's cache; valid until the connection's next call.
struct Statement {
    private let pointer: OpaquePointer
    private let sql: String
    private let connection: Connection

    init(_ pointer: OpaquePointer, sql: String, connection: Connection) {
        self.pointer = pointer
        self.sql = sql
        self.connection = connection
    }

    func reset() {
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }

    /// Binds `?` parameters by position; a wrong number of them is an error, since it is always a mistake.
    func bind(_ parameters: [Value]) throws(DatabaseError) {
        guard Int(sqlite3_bind_parameter_count(pointer)) == parameters.count else {
            throw DatabaseError(
                operation: "bind \(sql)", path: connection.path, code: SQLITE_RANGE,
                message: "\(parameters.count) values for \(sqlite3_bind_parameter_count(pointer)) parameters")
        }
        for (offset, value) in parameters.enumerated() {
            try connection.check(bind(value, at: Int32(offset + 1)), "bind \(sql)")
        }
    }

    private func bind(_ value: Value, at index: Int32) -> Int32 {
        // SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: return sqlite3_bind_null(pointer, index)
        case .int64(let number): return sqlite3_bind_int64(pointer, index, number)
        case .double(let number): return sqlite3_bind_double(pointer, index, number)
        case .text(let text):
            var text = text
            return text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text64(
                        pointer, index, $0.baseAddress, sqlite3_uint64($0.count), transient, UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let bytes):
            if bytes.isEmpty { return sqlite3_bind_zeroblob(pointer, index, 0) }
            return bytes.withUnsafeBytes {
                sqlite3_bind_blob64(pointer, index, $0.baseAddress, sqlite3_uint64($0.count), transient)
            }
        }
    }

    /// Steps to the end.
    func rows() throws(DatabaseError) -> [Row] {
        var rows: [Row] = []
        var columns: [String]?
        while true {
            let code = sqlite3_step(pointer)
            if code == SQLITE_DONE { return rows }
            guard code == SQLITE_ROW else {
                try connection.check(code, "run \(sql)")
                return rows
            }
            let names = columns ?? columnNames()
            columns = names
            rows.append(Row(columns: names, values: names.indices.map { value(at: Int32($0)) }))
        }
    }

    private func columnNames() -> [String] {
        (0..<sqlite3_column_count(pointer)).map { index in
            guard let name = sqlite3_column_name(pointer, index) else { return "" }
            return String(cString: name)
        }
    }

    private func value(at index: Int32) -> Value {
        switch sqlite3_column_type(pointer, index) {
        case SQLITE_INTEGER: return .int64(sqlite3_column_int64(pointer, index))
        case SQLITE_FLOAT: return .double(sqlite3_column_double(pointer, index))
        case SQLITE_TEXT:
            guard let text = sqlite3_column_text(pointer, index) else { return .text("") }
            let count = Int(sqlite3_column_bytes(pointer, index))
            return .text(String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(pointer, index))
            guard let bytes = sqlite3_column_blob(pointer, index) else { return .blob([]) }
            return .blob(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
        default: return .null
        }
    }
}

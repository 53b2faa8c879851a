// SPDX-License-Identifier: Apache-2.0
import CSQLite

/// A failed database call: what we were doing, on which file, and SQLite's own code and words.
package struct DatabaseError: Error, Sendable, Equatable, CustomStringConvertible {
    package let operation: String
    package let path: String
    /// SQLite's extended result code.
    package let code: Int32
    package let message: String

    package var description: String {
        let cause = isDiskFull ? "no space left on device" : message
        return path.isEmpty ? "\(operation): \(cause)" : "\(operation) \(path): \(cause)"
    }

    /// The file system has no room for the change; nothing was changed.
    package var isDiskFull: Bool { code & 0xff == SQLITE_FULL }

    /// A row with this key exists already, or a row that others refer to cannot go.
    package var isConstraintViolation: Bool { code & 0xff == SQLITE_CONSTRAINT }

    /// Another process holds the database for longer than the busy timeout.
    package var isBusy: Bool { code & 0xff == SQLITE_BUSY }

    static func unexpectedColumn(_ name: String, wanted: String) -> DatabaseError {
        DatabaseError(
            operation: "read column \(name)", path: "", code: SQLITE_MISMATCH, message: "the column holds no \(wanted)")
    }
}

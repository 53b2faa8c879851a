// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import Metadata
package import OCISpec

/// A blob as one namespace sees it.
package struct ContentInfo: Sendable, Equatable {
    package var digest: Digest
    package var size: Int64
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var labels: Labels

    init(_ row: Row) throws {
        digest = try Digest(row.text("digest"))
        size = try row.int64("size")
        createdAt = Timestamp(nanoseconds: try row.int64("created_at"))
        updatedAt = Timestamp(nanoseconds: try row.int64("updated_at"))
        labels = try row.labels("labels")
    }
}

// MARK: Records

extension ContentStore {
    /// The record of a blob.
    package func info(_ namespace: String, _ digest: Digest) throws -> ContentInfo {
        let rows = try database.query(
            "SELECT * FROM content WHERE namespace = ? AND digest = ?", [.text(namespace), .text(digest.string)])
        guard let row = rows.first else { throw Self.missing(digest) }
        return try ContentInfo(row)
    }

    /// Whether the namespace sees the blob.
    package func contains(_ namespace: String, _ digest: Digest) throws -> Bool {
        try !database.query(
            "SELECT 1 FROM content WHERE namespace = ? AND digest = ?", [.text(namespace), .text(digest.string)]
        ).isEmpty
    }

    /// All blobs of a namespace, by digest.
    package func list(_ namespace: String) throws -> [ContentInfo] {
        try database.query("SELECT * FROM content WHERE namespace = ? ORDER BY digest", [.text(namespace)])
            .map { try ContentInfo($0) }
    }

    /// The namespaces that have a blob.
    package func namespaces() throws -> [String] {
        try database.query("SELECT DISTINCT namespace FROM content ORDER BY namespace").map { try $0.text("namespace") }
    }

    /// Changes a blob's labels.
    @discardableResult
    package func updateLabels(
        _ namespace: String, _ digest: Digest, _ change: (inout Labels) -> Void
    ) throws -> ContentInfo {
        try database.write { transaction in
            guard
                let row = try transaction.first(
                    "SELECT * FROM content WHERE namespace = ? AND digest = ?",
                    [.text(namespace), .text(digest.string)])
            else { throw Self.missing(digest) }
            var info = try ContentInfo(row)
            change(&info.labels)
            info.updatedAt = .now
            try transaction.execute(
                "UPDATE content SET labels = ?, updated_at = ? WHERE namespace = ? AND digest = ?",
                [
                    .labels(info.labels), .int64(info.updatedAt.nanoseconds), .text(namespace), .text(digest.string),
                ])
            return info
        }
    }

    /// Removes a blob from a namespace, and its file when no other namespace has it.
    package func delete(_ namespace: String, _ digest: Digest) throws {
        try database.write { transaction in
            let removed = try transaction.execute(
                "DELETE FROM content WHERE namespace = ? AND digest = ?", [.text(namespace), .text(digest.string)])
            guard removed > 0 else { throw Self.missing(digest) }
            try removeUnlessUsed(transaction, digest)
        }
    }

    /// Deletes a blob that nobody has adopted or labelled since it was stored; one that is gone is no error.
    package func deleteUntouched(_ namespace: String, _ digest: Digest) throws {
        try database.write { transaction in
            let key: [Value] = [.text(namespace), .text(digest.string)]
            let removed = try transaction.execute(
                "DELETE FROM content WHERE namespace = ? AND digest = ? AND updated_at = created_at AND labels = ?",
                key + [.labels([:])])
            if removed > 0 { try removeUnlessUsed(transaction, digest) }
        }
    }

    /// Removes the file of a blob that no namespace has any more. Under the database's lock no writer can adopt the file
    /// meanwhile; a crash here leaves a record without a file only if the transaction is undone, and reading that blob
    /// then fails with a clear error.
    private func removeUnlessUsed(_ transaction: borrowing Transaction, _ digest: Digest) throws {
        let others = try transaction.query("SELECT 1 FROM content WHERE digest = ?", [.text(digest.string)])
        if others.isEmpty { try? removeFile(path(of: digest)) }
    }

    /// Makes a blob that is on disk visible in `namespace`; false if it is on disk nowhere.
    package func adopt(_ namespace: String, _ digest: Digest, labels: Labels = [:]) throws -> Bool {
        try database.write { transaction in
            guard let size = self.size(onDisk: digest) else { return false }
            try Self.insert(transaction, namespace, digest, size: size, labels: labels)
            return true
        }
    }

    func size(onDisk digest: Digest) -> Int64? {
        guard let info = try? LinuxSystem.status(path(of: digest)), isRegularFile(info) else { return nil }
        return Int64(info.st_size)
    }

    /// Adds the record, or adds `labels` to the record that is there.
    static func insert(
        _ transaction: borrowing Transaction, _ namespace: String, _ digest: Digest, size: Int64, labels: Labels
    ) throws {
        let key: [Value] = [.text(namespace), .text(digest.string)]
        let row = try transaction.first("SELECT labels FROM content WHERE namespace = ? AND digest = ?", key)
        let now = Value.int64(Timestamp.now.nanoseconds)
        if let row {
            let merged = try row.labels("labels").merging(labels) { $1 }
            try transaction.execute(
                "UPDATE content SET labels = ?, updated_at = ? WHERE namespace = ? AND digest = ?",
                [.labels(merged), now] + key)
        } else {
            try transaction.execute(
                "INSERT INTO content (namespace, digest, size, created_at, updated_at, labels) VALUES (?, ?, ?, ?, ?, ?)",
                key + [.int64(size), now, now, .labels(labels)])
        }
    }

    static func missing(_ digest: Digest) -> ServiceError {
        ServiceError(.notFound, "content digest \(digest): not found")
    }
}

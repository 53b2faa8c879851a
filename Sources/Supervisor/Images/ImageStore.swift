// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
package import Metadata
package import OCISpec

/// The image records of all namespaces. Calls block for a database access; they are safe from any thread.
package final class ImageStore: Sendable {
    private let database: Database

    package init(database: Database) throws {
        self.database = database
        try database.migrate(component: "images", Self.migrations)
    }

    private static let migrations = [
        """
        CREATE TABLE images (
            namespace TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, target TEXT NOT NULL,
            labels TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            PRIMARY KEY (namespace, name)
        ) WITHOUT ROWID;
        CREATE INDEX images_digest ON images (namespace, digest);
        """
    ]

    /// The name under which an image stays that no longer has one, as docker has it with containerd's store.
    package static func danglingName(_ digest: Digest) -> String { "moby-dangling@\(digest)" }

    package func get(_ namespace: String, _ name: String) throws -> ImageRecord {
        try database.read { try Self.find($0, namespace, name) }
    }

    package func list(_ namespace: String) throws -> [ImageRecord] {
        try database.query("SELECT * FROM images WHERE namespace = ? ORDER BY name", [.text(namespace)])
            .map { try ImageRecord($0) }
    }

    /// Adds a record; an existing name is an error.
    package func create(_ namespace: String, _ record: ImageRecord) throws {
        try validate(record)
        do {
            try database.write { try Self.insert($0, namespace, record, "INSERT") }
        } catch let error as DatabaseError where error.isConstraintViolation {
            throw ServiceError(.alreadyExists, "image \"\(record.name)\": already exists")
        }
    }

    /// Changes a record; the name stays.
    @discardableResult
    package func update(
        _ namespace: String, _ name: String, _ change: (inout ImageRecord) throws -> Void
    ) throws -> ImageRecord {
        try database.write { transaction in
            var record = try Self.find(transaction, namespace, name)
            try change(&record)
            record.name = name
            record.updatedAt = .now
            try Self.insert(transaction, namespace, record, "INSERT OR REPLACE")
            return record
        }
    }

    /// Adds the record or gives the name a new target. An image that loses its last name by this stays under
    /// `danglingName`, and gives that up when it gets a name again, as in docker.
    ///
    /// - Parameter keepsLabels: a name that was there keeps the labels that `record` does not have.
    package func put(_ namespace: String, _ record: ImageRecord, keepsLabels: Bool = false) throws -> ImageRecord {
        try validate(record)
        return try database.write { transaction in
            var record = record
            let existing = try? Self.find(transaction, namespace, record.name)
            if let existing {
                record.createdAt = existing.createdAt
                record.updatedAt = .now
                if keepsLabels { record.labels.merge(existing.labels) { new, _ in new } }
            }
            try Self.insert(transaction, namespace, record, "INSERT OR REPLACE")
            let dangling = Self.danglingName(record.target.digest)
            if record.name != dangling {
                try transaction.execute(
                    "DELETE FROM images WHERE namespace = ? AND name = ?", [.text(namespace), .text(dangling)])
            }
            if let existing { try Self.keepDangling(transaction, namespace, existing) }
            return record
        }
    }

    private static func keepDangling(
        _ transaction: borrowing Transaction, _ namespace: String, _ lost: ImageRecord
    ) throws {
        let digest = lost.target.digest
        let names = try transaction.query(
            "SELECT 1 FROM images WHERE namespace = ? AND digest = ?", [.text(namespace), .text(digest.string)])
        guard names.isEmpty else { return }
        var record = lost
        record.name = danglingName(digest)
        try insert(transaction, namespace, record, "INSERT OR REPLACE")
    }

    /// Removes a record. With `target`, only if it still points there.
    @discardableResult
    package func delete(_ namespace: String, _ name: String, target: Digest? = nil) throws -> ImageRecord {
        try database.write { transaction in
            let record = try Self.find(transaction, namespace, name)
            guard target == nil || target == record.target.digest else {
                throw ServiceError(.notFound, "image \"\(name)\" has a different target: not found")
            }
            try transaction.execute(
                "DELETE FROM images WHERE namespace = ? AND name = ?", [.text(namespace), .text(name)])
            return record
        }
    }

    /// The names that point to `digest`.
    package func names(_ namespace: String, of digest: Digest) throws -> [String] {
        try database.query(
            "SELECT name FROM images WHERE namespace = ? AND digest = ?", [.text(namespace), .text(digest.string)]
        ).map { try $0.text("name") }
    }

    private func validate(_ record: ImageRecord) throws {
        guard !record.name.isEmpty, record.name.utf8.count <= 1024 else {
            throw ServiceError(.invalidArgument, "image name must not be empty: invalid argument")
        }
    }

    private static func find(
        _ transaction: borrowing Transaction, _ namespace: String, _ name: String
    ) throws -> ImageRecord {
        guard
            let row = try transaction.first(
                "SELECT * FROM images WHERE namespace = ? AND name = ?", [.text(namespace), .text(name)])
        else { throw ServiceError(.notFound, "image \"\(name)\": not found") }
        return try ImageRecord(row)
    }

    private static func insert(
        _ transaction: borrowing Transaction, _ namespace: String, _ record: ImageRecord, _ verb: String
    ) throws {
        try transaction.execute(
            """
            \(verb) INTO images (namespace, name, digest, target, labels, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(namespace), .text(record.name), .text(record.target.digest.string),
                .text(record.target.json.serialized()), .labels(record.labels),
                .int64(record.createdAt.nanoseconds), .int64(record.updatedAt.nanoseconds),
            ])
    }
}

extension ImageRecord {
    fileprivate init(_ row: Row) throws {
        name = try row.text("name")
        target = try Descriptor(JSONValue(parsing: try row.text("target")))
        labels = try row.labels("labels")
        createdAt = Timestamp(nanoseconds: try row.int64("created_at"))
        updatedAt = Timestamp(nanoseconds: try row.int64("updated_at"))
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Metadata

/// A row of the snapshot table. `id` names the directory and is never used twice.
struct SnapshotRecord: Sendable {
    var id: Int64
    var parentID: Int64?
    var info: SnapshotInfo
    var usage: SnapshotUsage
}

/// The snapshot records of one driver. The rules that any driver has live here: what may be a parent, what may be
/// committed, what may go.
struct SnapshotRecords: Sendable {
    let database: Database

    init(_ database: Database) throws {
        self.database = database
        try database.migrate(component: "snapshots", Self.migrations)
    }

    private static let migrations = [
        """
        CREATE TABLE snapshots (
            id INTEGER PRIMARY KEY AUTOINCREMENT, namespace TEXT NOT NULL, name TEXT NOT NULL,
            parent_id INTEGER REFERENCES snapshots (id), kind INTEGER NOT NULL,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, labels TEXT NOT NULL,
            size INTEGER NOT NULL DEFAULT 0, inodes INTEGER NOT NULL DEFAULT 0, unflushed_boot TEXT,
            UNIQUE (namespace, name)
        );
        CREATE INDEX snapshots_parent ON snapshots (parent_id);
        """
    ]

    private static let columns =
        "SELECT s.*, p.name AS parent FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent_id"

    // MARK: Reading

    func get(_ transaction: borrowing Transaction, _ namespace: String, _ name: String) throws -> SnapshotRecord {
        guard
            let row = try transaction.first(
                "\(Self.columns) WHERE s.namespace = ? AND s.name = ?", [.text(namespace), .text(name)])
        else { throw ServiceError(.notFound, "snapshot \(name) does not exist: not found") }
        return try Self.record(row)
    }

    func get(_ namespace: String, _ name: String) throws -> SnapshotRecord {
        try database.read { try get($0, namespace, name) }
    }

    /// Parents before children, since a child gets its id later.
    func list(_ namespace: String) throws -> [SnapshotRecord] {
        try database.query("\(Self.columns) WHERE s.namespace = ? ORDER BY s.id", [.text(namespace)])
            .map { try Self.record($0) }
    }

    /// The ids of the layers below a snapshot, nearest first.
    func ancestors(_ transaction: borrowing Transaction, of parentID: Int64?) throws -> [Int64] {
        guard let parentID else { return [] }
        let rows = try transaction.query(
            """
            WITH RECURSIVE chain (id, parent_id, depth) AS (
                SELECT id, parent_id, 0 FROM snapshots WHERE id = ?
                UNION ALL
                SELECT s.id, s.parent_id, chain.depth + 1 FROM snapshots s JOIN chain ON s.id = chain.parent_id
            ) SELECT id FROM chain ORDER BY depth
            """, [.int64(parentID)])
        return try rows.map { try $0.int64("id") }
    }

    func allIDs() throws -> Set<Int64> {
        Set(try database.query("SELECT id FROM snapshots").map { try $0.int64("id") })
    }

    // MARK: Changing

    /// Adds an active snapshot or a view; returns its record.
    func create(
        _ transaction: borrowing Transaction, _ namespace: String, _ name: String, kind: SnapshotKind, parent: String,
        labels: Labels
    ) throws -> SnapshotRecord {
        guard !name.isEmpty else { throw ServiceError(.invalidArgument, "snapshot key must not be empty") }
        try requireAbsent(transaction, namespace, name)
        var parentID: Int64?
        if !parent.isEmpty {
            let record = try get(transaction, namespace, parent)
            guard record.info.kind == .committed else {
                throw ServiceError(.invalidArgument, "parent \"\(parent)\" is not committed snapshot: invalid argument")
            }
            parentID = record.id
        }
        let now = Value.int64(Timestamp.now.nanoseconds)
        try transaction.execute(
            """
            INSERT INTO snapshots (namespace, name, parent_id, kind, created_at, updated_at, labels)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [.text(namespace), .text(name), .int64(parentID), .int64(kind.rawValue), now, now, .labels(labels)])
        return try get(transaction, namespace, name)
    }

    /// Turns an active snapshot into a committed one with another name.
    func commit(
        _ transaction: borrowing Transaction, _ namespace: String, name: String, key: String, labels: Labels,
        usage: SnapshotUsage, unflushedBoot: String?
    ) throws {
        guard !name.isEmpty else { throw ServiceError(.invalidArgument, "snapshot name must not be empty") }
        try requireAbsent(transaction, namespace, name)
        let record = try get(transaction, namespace, key)
        guard record.info.kind == .active else {
            throw ServiceError(.failedPrecondition, "snapshot \"\(key)\" is not active: failed precondition")
        }
        let now = Value.int64(Timestamp.now.nanoseconds)
        try transaction.execute(
            """
            UPDATE snapshots SET name = ?, kind = ?, updated_at = ?, created_at = ?, labels = ?, size = ?, inodes = ?,
            unflushed_boot = ? WHERE id = ?
            """,
            [
                .text(name), .int64(SnapshotKind.committed.rawValue), now, now, .labels(labels), .int64(usage.bytes),
                .int64(usage.inodes), .text(unflushedBoot), .int64(record.id),
            ])
    }

    /// Deletes a record without children; returns its id.
    func remove(_ transaction: borrowing Transaction, _ namespace: String, _ name: String) throws -> Int64 {
        let record = try get(transaction, namespace, name)
        let children = try transaction.query("SELECT 1 FROM snapshots WHERE parent_id = ? LIMIT 1", [.int64(record.id)])
        guard children.isEmpty else {
            throw ServiceError(.failedPrecondition, "cannot remove snapshot with child: failed precondition")
        }
        try transaction.execute("DELETE FROM snapshots WHERE id = ?", [.int64(record.id)])
        return record.id
    }

    func updateLabels(
        _ namespace: String, _ name: String, _ change: (inout Labels) -> Void
    ) throws -> SnapshotRecord {
        try database.write { transaction in
            var record = try get(transaction, namespace, name)
            change(&record.info.labels)
            record.info.updatedAt = .now
            try transaction.execute(
                "UPDATE snapshots SET labels = ?, updated_at = ? WHERE id = ?",
                [.labels(record.info.labels), .int64(record.info.updatedAt.nanoseconds), .int64(record.id)])
            return record
        }
    }

    /// Those of the snapshots whose content may not be on disk yet.
    func unflushed(_ namespace: String, _ names: [String]) throws -> [String] {
        try database.read { transaction in
            try names.filter {
                try !transaction.query(
                    "SELECT 1 FROM snapshots WHERE namespace = ? AND name = ? AND unflushed_boot IS NOT NULL",
                    [.text(namespace), .text($0)]
                ).isEmpty
            }
        }
    }

    func markFlushed(_ namespace: String, _ names: [String]) throws {
        try database.write { transaction in
            for name in names {
                try transaction.execute(
                    "UPDATE snapshots SET unflushed_boot = NULL WHERE namespace = ? AND name = ?",
                    [.text(namespace), .text(name)])
            }
        }
    }

    /// Forgets committed snapshots whose content was never flushed before the machine went down, and what stands on
    /// them.
    func dropUnflushed(currentBoot: String) throws {
        _ = try database.write { transaction in
            try transaction.execute(
                """
                WITH RECURSIVE lost (id) AS (
                    SELECT id FROM snapshots WHERE unflushed_boot IS NOT NULL AND unflushed_boot <> ?
                    UNION SELECT s.id FROM snapshots s JOIN lost ON s.parent_id = lost.id
                ) DELETE FROM snapshots WHERE id IN lost
                """, [.text(currentBoot)])
        }
    }

    private func requireAbsent(_ transaction: borrowing Transaction, _ namespace: String, _ name: String) throws {
        let rows = try transaction.query(
            "SELECT 1 FROM snapshots WHERE namespace = ? AND name = ?", [.text(namespace), .text(name)])
        guard rows.isEmpty else { throw ServiceError(.alreadyExists, "snapshot \"\(name)\": already exists") }
    }

    private static func record(_ row: Row) throws -> SnapshotRecord {
        guard let kind = SnapshotKind(rawValue: try row.int64("kind")) else {
            throw ServiceError(.internal, "snapshot record of unknown kind")
        }
        let info = SnapshotInfo(
            name: try row.text("name"), parent: row["parent"].textValue ?? "", kind: kind,
            createdAt: Timestamp(nanoseconds: try row.int64("created_at")),
            updatedAt: Timestamp(nanoseconds: try row.int64("updated_at")), labels: try row.labels("labels"))
        return SnapshotRecord(
            id: try row.int64("id"), parentID: row["parent_id"].int64Value, info: info,
            usage: SnapshotUsage(bytes: try row.int64("size"), inodes: try row.int64("inodes")))
    }
}

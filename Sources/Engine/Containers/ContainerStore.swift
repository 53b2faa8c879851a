// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Metadata

/// The container records in the engine's database: one row of JSON each, since they are always read and written whole.
final class ContainerStore: Sendable {
    private let database: Database

    init(path: FilePath) throws {
        try makeDirectories(path.parent, mode: 0o711)
        database = try Database(path: path)
        try database.migrate(
            component: "containers",
            ["CREATE TABLE containers (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID"])
    }

    func save(_ record: ContainerRecord) throws {
        try database.execute(
            "INSERT INTO containers VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            [.text(record.id), .text(record.json.serialized())])
    }

    func delete(_ id: String) throws {
        try database.execute("DELETE FROM containers WHERE id = ?", [.text(id)])
    }

    /// Every record that can be read, and the ids of those that cannot.
    func load() throws -> (records: [ContainerRecord], unreadable: [String]) {
        var records: [ContainerRecord] = []
        var unreadable: [String] = []
        for row in try database.query("SELECT id, record FROM containers") {
            do {
                records.append(try ContainerRecord(json: JSONValue(parsing: row.text("record"))))
            } catch {
                unreadable.append(try row.text("id"))
            }
        }
        return (records, unreadable)
    }
}

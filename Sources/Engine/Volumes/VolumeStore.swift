// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import Metadata

/// The durable records of volumes and of who uses them, in `<data-root>/engine/volumes.db`.
struct VolumeStore: Sendable {
    private let database: Database

    private static let migrations = [
        """
        CREATE TABLE volumes (name TEXT PRIMARY KEY, created INTEGER NOT NULL, labels TEXT, options TEXT) WITHOUT ROWID;
        CREATE TABLE uses (
            container TEXT NOT NULL, volume TEXT NOT NULL REFERENCES volumes (name),
            PRIMARY KEY (container, volume)
        ) WITHOUT ROWID;
        """,
        """
        ALTER TABLE volumes ADD COLUMN driver TEXT NOT NULL DEFAULT 'local';
        CREATE TABLE mounts (
            volume TEXT NOT NULL REFERENCES volumes (name) ON DELETE CASCADE, container TEXT NOT NULL,
            PRIMARY KEY (volume, container)
        ) WITHOUT ROWID;
        """,
    ]

    private static let columns = "name, driver, created, labels, options"

    init(path: FilePath) throws(EngineError) {
        do {
            try makeDirectories(path.parent, mode: 0o711)
            database = try Database(path: path, migrations: Self.migrations)
        } catch {
            throw .internal("volume records: \(error)")
        }
    }

    func list() throws(EngineError) -> [VolumeRecord] {
        try rows("SELECT \(Self.columns) FROM volumes ORDER BY name").map(record)
    }

    func find(_ name: String) throws(EngineError) -> VolumeRecord? {
        try rows("SELECT \(Self.columns) FROM volumes WHERE name = ?", [.text(name)]).first.map(record)
    }

    func insert(_ volume: VolumeRecord) throws(EngineError) {
        try execute(
            "INSERT INTO volumes (\(Self.columns)) VALUES (?, ?, ?, ?, ?)",
            [
                .text(volume.name), .text(volume.driver), .int64(volume.created.nanoseconds),
                .text(volume.labels.map(text)), .text(volume.options.map(text)),
            ])
    }

    func delete(_ name: String) throws(EngineError) {
        try execute("DELETE FROM volumes WHERE name = ?", [.text(name)])
    }

    /// The containers that have the volume, by id.
    func users(of name: String) throws(EngineError) -> [String] {
        try rows("SELECT container FROM uses WHERE volume = ? ORDER BY container", [.text(name)])
            .compactMap { $0["container"].textValue }
    }

    /// The volumes that any container has.
    func used() throws(EngineError) -> Set<String> {
        Set(try rows("SELECT DISTINCT volume FROM uses").compactMap { $0["volume"].textValue })
    }

    /// How many containers have each volume.
    func useCounts() throws(EngineError) -> [String: Int] {
        let found = try rows("SELECT volume, count(*) AS uses FROM uses GROUP BY volume")
        return Dictionary(
            found.map { ($0["volume"].textValue ?? "", Int($0["uses"].int64Value ?? 0)) }, uniquingKeysWith: { $1 })
    }

    func volumes(of container: String) throws(EngineError) -> [String] {
        try rows("SELECT volume FROM uses WHERE container = ?", [.text(container)])
            .compactMap { $0["volume"].textValue }
    }

    func users() throws(EngineError) -> Set<String> {
        Set(try rows("SELECT DISTINCT container FROM uses").compactMap { $0["container"].textValue })
    }

    func addUse(_ name: String, by container: String) throws(EngineError) {
        try execute(
            "INSERT OR IGNORE INTO uses (container, volume) VALUES (?, ?)", [.text(container), .text(name)])
    }

    func removeUses(by container: String) throws(EngineError) {
        try execute("DELETE FROM uses WHERE container = ?", [.text(container)])
    }

    // MARK: What plugins have mounted

    /// Volumes and the containers for which plugins have mounted them, or are about to.
    func mounts() throws(EngineError) -> [(volume: String, container: String)] {
        try rows("SELECT volume, container FROM mounts").map {
            ($0["volume"].textValue ?? "", $0["container"].textValue ?? "")
        }
    }

    func addMount(of name: String, for container: String) throws(EngineError) {
        try execute(
            "INSERT OR IGNORE INTO mounts (volume, container) VALUES (?, ?)", [.text(name), .text(container)])
    }

    func removeMount(of name: String, for container: String) throws(EngineError) {
        try execute("DELETE FROM mounts WHERE volume = ? AND container = ?", [.text(name), .text(container)])
    }

    // MARK: Parts

    private func record(_ row: Row) -> VolumeRecord {
        VolumeRecord(
            name: row["name"].textValue ?? "", driver: row["driver"].textValue ?? VolumeRecord.localDriver,
            created: Timestamp(nanoseconds: row["created"].int64Value ?? 0), labels: map(row["labels"]),
            options: map(row["options"]))
    }

    private func text(_ values: [String: String]) -> String {
        JSONValue.sorted(values.map { (key: $0.key, value: JSONValue.string($0.value)) }).serialized()
    }

    private func map(_ value: Value) -> [String: String]? {
        guard let text = value.textValue, let pairs = (try? JSONValue(parsing: text))?.stringPairs else { return nil }
        return Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }

    private func rows(_ sql: String, _ values: [Value] = []) throws(EngineError) -> [Row] {
        do { return try database.query(sql, values) } catch { throw .internal("read volume records: \(error)") }
    }

    private func execute(_ sql: String, _ values: [Value]) throws(EngineError) {
        do { try database.execute(sql, values) } catch { throw .internal("write volume records: \(error)") }
    }
}

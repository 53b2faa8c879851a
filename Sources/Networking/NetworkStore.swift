// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import Metadata

/// The durable records of networks and endpoints, in `<data-root>/engine/network.db`.
struct NetworkStore {
    private let database: Database

    private static let migrations = [
        """
        CREATE TABLE networks (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE endpoints (id TEXT PRIMARY KEY, container TEXT NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX endpoints_by_container ON endpoints (container);
        """
    ]

    init(path: FilePath) throws(NetworkError) {
        do {
            try makeDirectories(path.parent, mode: 0o711)
            database = try Database(path: path, migrations: Self.migrations)
        } catch {
            throw NetworkError(.internal, "network records: \(error)")
        }
    }

    func networks() throws(NetworkError) -> [NetworkRecord] {
        try records("SELECT record FROM networks") { NetworkRecord(json: $0) }
    }

    func endpoints() throws(NetworkError) -> [EndpointRecord] {
        try records("SELECT record FROM endpoints") { EndpointRecord(json: $0) }
    }

    func save(_ network: NetworkRecord) throws(NetworkError) {
        try execute(
            "INSERT OR REPLACE INTO networks (id, record) VALUES (?, ?)",
            [.text(network.id), .text(network.json.serialized())])
    }

    func save(_ endpoint: EndpointRecord) throws(NetworkError) {
        try execute(
            "INSERT OR REPLACE INTO endpoints (id, container, record) VALUES (?, ?, ?)",
            [.text(endpoint.id), .text(endpoint.containerID), .text(endpoint.json.serialized())])
    }

    func removeNetwork(_ id: String) throws(NetworkError) {
        try execute("DELETE FROM networks WHERE id = ?", [.text(id)])
    }

    func removeEndpoint(_ id: String) throws(NetworkError) {
        try execute("DELETE FROM endpoints WHERE id = ?", [.text(id)])
    }

    /// A record that cannot be read is an error: leaving it out would leak what it stands for.
    private func records<T>(_ sql: String, _ decode: (JSONValue) -> T?) throws(NetworkError) -> [T] {
        do {
            return try database.query(sql).map { row in
                guard let record = decode(try JSONValue(parsing: try row.text("record"))) else {
                    throw NetworkError(.internal, "a record does not have the expected form")
                }
                return record
            }
        } catch {
            throw NetworkError(.internal, "read network records: \(error)")
        }
    }

    private func execute(_ sql: String, _ values: [Value]) throws(NetworkError) {
        do { try database.execute(sql, values) } catch {
            throw NetworkError(.internal, "write network records: \(error)")
        }
    }
}

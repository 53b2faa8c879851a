// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import OCISpec
import Synchronization

/// How far an ingest has come.
package struct IngestStatus: Sendable, Equatable {
    package var ref: String
    package var offset: Int64
    /// The announced size; 0 if unknown.
    package var total: Int64
    package var expected: Digest?
    package var startedAt: Timestamp
    package var updatedAt: Timestamp
}

/// The directory of one ingest.
struct IngestDirectory {
    let path: FilePath

    init(_ store: ContentStore, _ namespace: String, _ ref: String) {
        path = store.root / "ingest" / Digest.sha256(of: namespace + "\n" + ref).hex
    }

    init(path: FilePath) { self.path = path }

    var key: String { path.lastComponent }
    var data: FilePath { path / "data" }

    /// Makes the directory with its notes; the notes need no fsync, since the digest is verified at commit.
    func create(_ namespace: String, _ ref: String, total: Int64, expected: Digest?) throws(SysError) {
        try makeDirectory(path, mode: 0o700)
        try note("namespace", namespace)
        try note("ref", ref)
        try note("total", String(total))
        try note("expected", expected?.string ?? "")
        try note("startedAt", Timestamp.now.rfc3339())
    }

    func status() throws -> IngestStatus {
        let info = try LinuxSystem.status(data)
        return IngestStatus(
            ref: try readText(path / "ref"), offset: Int64(info.st_size),
            total: Int64(try readText(path / "total")) ?? 0, expected: try? Digest(readText(path / "expected")),
            startedAt: Timestamp(rfc3339: try readText(path / "startedAt")) ?? .now,
            updatedAt: Timestamp(nanoseconds: Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)))
    }

    func namespace() throws(SysError) -> String { try readText(path / "namespace") }

    private func note(_ name: String, _ text: String) throws(SysError) {
        try writeFile(path / name, Array(text.utf8))
    }

    private func writeFile(_ path: FilePath, _ bytes: [UInt8]) throws(SysError) {
        let file = try LinuxSystem.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try writeAll(file, bytes)
    }
}

extension ContentStore {
    /// The status of one ingest, with or without a writer.
    package func status(_ namespace: String, ref: String) throws -> IngestStatus {
        let directory = IngestDirectory(self, namespace, ref)
        guard exists(directory.data) else { throw Self.missingIngest(ref) }
        return try directory.status()
    }

    /// All ingests of a namespace; what vanishes meanwhile is left out.
    package func statuses(_ namespace: String) throws -> [IngestStatus] {
        try listDirectory(root / "ingest").compactMap { name -> IngestStatus? in
            let directory = IngestDirectory(path: root / "ingest" / name)
            guard (try? directory.namespace()) == namespace else { return nil }
            return try? directory.status()
        }
    }

    /// Throws an ingest away. One with a writer is refused.
    package func abort(_ namespace: String, ref: String) throws {
        let directory = IngestDirectory(self, namespace, ref)
        guard exists(directory.path) else { throw Self.missingIngest(ref) }
        guard busy.withLock({ $0.insert(directory.key).inserted }) else { throw Self.locked(ref) }
        defer { release(directory.key) }
        try removeTree(directory.path)
    }

    /// Throws away the ingests of all namespaces that nobody has written to since `time`; those with a writer stay.
    package func abortIngests(untouchedSince time: Timestamp) throws {
        for name in try listDirectory(root / "ingest") {
            let directory = IngestDirectory(path: root / "ingest" / name)
            guard let status = try? directory.status(), status.updatedAt < time,
                busy.withLock({ $0.insert(directory.key).inserted })
            else { continue }
            defer { release(directory.key) }
            try removeTree(directory.path)
        }
    }

    func release(_ key: String) { busy.withLock { _ = $0.remove(key) } }

    static func missingIngest(_ ref: String) -> ServiceError {
        ServiceError(.notFound, "ingest ref \"\(ref)\": not found")
    }

    static func locked(_ ref: String) -> ServiceError {
        ServiceError(.unavailable, "ref \(ref) locked by another writer: unavailable")
    }
}

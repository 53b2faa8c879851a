// SPDX-License-Identifier: Apache-2.0
// The registry's state: blobs and manifests in a content store, what they mean in a database.
//
//   <root>/registry.lock  one process at a time
//   <root>/content/       files by digest, shared by all repositories, and unfinished uploads (ContentStore)
//   <root>/registry.db    which repository has which content, manifests, tags, and what manifests lead to
//
// Order of writes: a file is durable before its record, a manifest's record before anybody hears of it. Killed at any
// moment, the registry is left with content that nothing leads to, which `garbage-collect` removes, and nothing else.
import ContentStore
package import LinuxSystem
import Metadata
import Synchronization
import Threads

/// All that the registry keeps. Its calls block: `blocking` makes them on threads for that.
package final class RegistryStore: Sendable {
    let content: ContentStore
    let database: Database
    private let lock: FileLock
    private let pool = BlockingPool()
    private let manifestLock = Mutex(())

    /// Opens the store below `root`, making it as needed. Fails if another process has it.
    package init(root: FilePath) throws {
        try makeDirectories(root, mode: 0o711)
        lock = try FileLock(root / "registry.lock")
        database = try Database(path: root / "registry.db")
        try database.migrate(component: "registry", Self.migrations)
        content = try ContentStore(root: root / "content", database: database)
    }

    /// Runs `body` where it may block.
    func blocking<R: Sendable>(_ body: @escaping @Sendable (RegistryStore) throws -> R) async throws -> R {
        try await pool.run { [self] in try body(self) }
    }

    /// Runs what changes a manifest's file and its record, which no transaction covers both, one after the other.
    func changingManifests<R: Sendable>(_ body: () throws -> R) throws -> R {
        try manifestLock.withLock { _ in Result { try body() } }.get()
    }

    /// `subject` and `description` are empty if there is none; `annotations` are kept for what has a subject.
    private static let migrations = [
        """
        CREATE TABLE manifests (
            repository TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
            subject TEXT NOT NULL, artifact_type TEXT NOT NULL, annotations TEXT NOT NULL, description TEXT NOT NULL,
            pushed_at INTEGER NOT NULL,
            PRIMARY KEY (repository, digest)
        ) WITHOUT ROWID;
        CREATE INDEX manifests_subject ON manifests (repository, subject);
        CREATE TABLE tags (
            repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL,
            PRIMARY KEY (repository, tag)
        ) WITHOUT ROWID;
        CREATE INDEX tags_digest ON tags (repository, digest);
        CREATE TABLE links (
            repository TEXT NOT NULL, digest TEXT NOT NULL, manifest TEXT NOT NULL,
            PRIMARY KEY (repository, digest, manifest)
        ) WITHOUT ROWID;
        CREATE INDEX links_manifest ON links (repository, manifest);
        """
    ]
}

// SPDX-License-Identifier: Apache-2.0
// ContentStore: blobs by digest, shared by all namespaces, and the ingests that become blobs.
//
//   <root>/blobs/<algorithm>/<hex>              durable, verified, never changed
//   <root>/ingest/<hash of namespace and ref>/  data, ref, total, startedAt: survives a crash and is resumed
//
// A blob is visible in a namespace if that namespace has a record of it; records carry labels (containerd's content
// service has the same rules). Order of writes: data fsync, rename, directory fsync, then the record. A blob without a
// record can only come from a crash and is removed at the next start.
package import LinuxSystem
package import Metadata
package import OCISpec
import Synchronization

/// The store of verified blobs. All calls block; they are safe from any thread.
package final class ContentStore: Sendable {
    package let root: FilePath
    let database: Database
    /// Ingest directories that have a writer.
    let busy = Mutex<Set<String>>([])

    /// Opens the store below `root`, making directories as needed, and removes what a crash left behind.
    package init(root: FilePath, database: Database) throws {
        self.root = root
        self.database = database
        try makeDirectories(root, mode: 0o711)
        for directory in ["blobs", "ingest"] { try makeDirectory(root / directory, mode: 0o700) }
        for algorithm in ["sha256", "sha384", "sha512"] {
            try makeDirectory(root / "blobs" / algorithm, mode: 0o700)
        }
        spreadSubdirectories(of: root / "ingest")
        try database.migrate(component: "content", Self.migrations)
        try removeOrphans()
    }

    /// The file of a blob; it may not exist.
    package func path(of digest: Digest) -> FilePath {
        root / "blobs" / digest.algorithm.rawValue / digest.hex
    }

    private static let migrations = [
        """
        CREATE TABLE content (
            namespace TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, labels TEXT NOT NULL,
            PRIMARY KEY (namespace, digest)
        ) WITHOUT ROWID;
        CREATE INDEX content_digest ON content (digest);
        """
    ]

    private func removeOrphans() throws {
        let known = Set(try database.query("SELECT DISTINCT digest FROM content").map { try $0.text("digest") })
        for algorithm in ["sha256", "sha384", "sha512"] {
            let directory = root / "blobs" / algorithm
            for name in try listDirectory(directory) where !known.contains(algorithm + ":" + name) {
                try removeFile(directory / name)
            }
        }
        // An ingest that a crash left before its notes were written can be neither found nor resumed.
        for name in try listDirectory(root / "ingest") {
            let ingest = IngestDirectory(path: root / "ingest" / name)
            if (try? ingest.status()) == nil || (try? ingest.namespace()) == nil { try removeTree(ingest.path) }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Metadata
import OCISpec

/// What a collection has removed.
package struct CollectedGarbage: Sendable, Equatable {
    package var manifests = 0
    package var blobs = 0
}

extension RegistryStore {
    /// Removes the blobs that no manifest of their repository names, and content of manifests that crashes left behind.
    /// Nobody may use the store meanwhile: a push stores blobs before the manifest that names them.
    ///
    /// - Parameter untagged: also removes manifests that have no tag, that no index names, and that are not about a
    ///   manifest which stays.
    package func collectGarbage(untagged: Bool) throws -> CollectedGarbage {
        var collected = CollectedGarbage()
        if untagged { collected.manifests = try deleteUntagged() }
        for namespace in try content.namespaces() {
            let query =
                RepositoryName.ofManifests(namespace) == nil
                ? "SELECT 1 FROM links WHERE repository = ? AND digest = ?"
                : "SELECT 1 FROM manifests WHERE repository = ? AND digest = ?"
            let repository = RepositoryName.ofManifests(namespace) ?? namespace
            for info in try content.list(namespace) {
                let used = try database.query(query, [.text(repository), .text(info.digest.string)])
                guard used.isEmpty else { continue }
                try content.delete(namespace, info.digest)
                if repository == namespace { collected.blobs += 1 }
            }
        }
        return collected
    }

    /// Until nothing more goes: what an index named, or what was about a manifest, goes in the next round.
    private func deleteUntagged() throws -> Int {
        var count = 0
        while true {
            let rows = try database.query(
                """
                SELECT repository, digest FROM manifests AS candidate WHERE
                NOT EXISTS (SELECT 1 FROM tags WHERE repository = candidate.repository AND digest = candidate.digest)
                AND NOT EXISTS (SELECT 1 FROM links WHERE repository = candidate.repository AND digest = candidate.digest)
                AND NOT EXISTS (
                    SELECT 1 FROM manifests WHERE repository = candidate.repository AND digest = candidate.subject)
                """)
            if rows.isEmpty { return count }
            for row in rows { try deleteManifest(try row.text("repository"), try row.text("digest")) }
            count += rows.count
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import ContentStore
import LinuxSystem
package import Metadata
package import OCISpec
import Snapshots
import Threads

/// What a collection removed.
package struct CollectedContent: Sendable, Equatable {
    package var blobs: [Digest] = []
    package var snapshots: [String] = []
}

/// Removes the content and the snapshots that only a deleted image used.
///
/// What other images, leases or `containerd.io/gc.root` labels keep stays, and so does a snapshot that others stand on.
/// Content that no image referred to in the first place goes too, once it is ten minutes old.
package struct ImageCollector: Sendable {
    private let services: ImageServices
    private let database: Database

    package init(_ services: ImageServices, database: Database) {
        self.services = services
        self.database = database
    }

    /// Collects, after the record of an image with this target was deleted if there is one. Waits for transfers to end.
    @discardableResult
    package func collect(_ namespace: String, deleted target: Descriptor? = nil) async throws -> CollectedContent {
        let collector = self
        return try await services.gate.collection(namespace) {
            try await collector.services.pool.run { try collector.sweep(namespace, target) }
        }
    }

    /// Blocks.
    private func sweep(_ namespace: String, _ target: Descriptor?) throws -> CollectedContent {
        try? dropExpiredLeases(namespace)  // on a full disk the rest must go on
        // Leases before names: whoever gives up a lease has stored the name before that.
        let leased = try leasedResources(namespace)
        let graph = ImageGraph(content: services.content, namespace: namespace)
        var kept = ImageGraph.Reach()
        for record in try services.images.list(namespace) { graph.visit(record.target, into: &kept) }
        var lost = ImageGraph.Reach()
        if let target { graph.visit(target, into: &lost) }
        for digest in leased.compactMap({ try? Digest($0) }) {
            graph.visit(Descriptor(mediaType: "", digest: digest, size: 0), into: &kept)
        }
        // Parts of its blobs, if a download broke off. They go first: on a full disk the records need room to change.
        for digest in lost.blobs.subtracting(kept.blobs) {
            try? services.content.abort(namespace, ref: "layer-\(digest)")
        }
        var result = CollectedContent()
        for chain in lost.chains { removeSnapshots(namespace, chain, kept.snapshots.union(leased), &result) }
        for digest in lost.blobs.sorted(by: { $0.string < $1.string })
        where !kept.blobs.contains(digest) && !leased.contains(digest.string) {
            if try remove(namespace, digest) { result.blobs.append(digest) }
        }
        try sweepOrphans(namespace, kept, leased, &result)
        return result
    }

    /// Content that nothing refers to, as interrupted transfers leave it. Fresh content is spared, since a client that
    /// takes no lease stores blobs before the image that names them.
    private func sweepOrphans(
        _ namespace: String, _ kept: ImageGraph.Reach, _ leased: Set<String>, _ result: inout CollectedContent
    ) throws {
        let limit = Timestamp.now.nanoseconds - Self.graceNanoseconds
        let keptSnapshots = kept.snapshots.union(leased)
        for info in try services.snapshotter.list(namespace).reversed() where info.updatedAt.nanoseconds < limit {
            let isLayer = info.kind == .committed && info.name.hasPrefix("sha256:")
            let isUnfinished = info.kind == .active && info.name.hasPrefix("extract-")
            guard isLayer || isUnfinished, !keptSnapshots.contains(info.name), !Self.isRoot(info.labels) else {
                continue
            }
            // One that something stands on refuses to go.
            do { try services.snapshotter.remove(namespace, info.name) } catch is ServiceError { continue }
            result.snapshots.append(info.name)
        }
        for info in try services.content.list(namespace) where info.updatedAt.nanoseconds < limit {
            guard !kept.blobs.contains(info.digest), !leased.contains(info.digest.string) else { continue }
            if try remove(namespace, info.digest) { result.blobs.append(info.digest) }
        }
        try sweepIngests(namespace, leased)
    }

    /// Downloads that nobody went on with for a day.
    private func sweepIngests(_ namespace: String, _ leased: Set<String>) throws {
        let limit = Timestamp.now.nanoseconds - Self.ingestNanoseconds
        for ingest in try services.content.statuses(namespace)
        where ingest.updatedAt.nanoseconds < limit && !leased.contains(ingest.ref) {
            // One that is written to just now refuses to go.
            do { try services.content.abort(namespace, ref: ingest.ref) } catch is ServiceError { continue }
        }
    }

    private static let ingestNanoseconds: Int64 = 24 * 3600 * 1_000_000_000

    private static let graceNanoseconds: Int64 = 600 * 1_000_000_000

    /// From the top down, up to the first that someone needs.
    private func removeSnapshots(
        _ namespace: String, _ chain: [ChainID], _ kept: Set<String>, _ result: inout CollectedContent
    ) {
        for chainID in chain.reversed() {
            if kept.contains(chainID.string) { return }
            do {
                try services.snapshotter.remove(namespace, chainID.string)
                result.snapshots.append(chainID.string)
            } catch let error as ServiceError where error.kind == .notFound {
                continue
            } catch {
                // A container's snapshot stands on it; it goes when the image is deleted the next time.
                return
            }
        }
    }

    private func remove(_ namespace: String, _ digest: Digest) throws -> Bool {
        do {
            guard try !Self.isRoot(services.content.info(namespace, digest).labels) else { return false }
            return try services.pins.unlessPinned(namespace, digest) { try services.content.delete(namespace, digest) }
        } catch let error as ServiceError where error.kind == .notFound {
            return false
        }
    }

    private static func isRoot(_ labels: Labels) -> Bool { labels["containerd.io/gc.root"] != nil }

    /// Removes leases whose label `containerd.io/gc.expire` names a time that is over, as containerd's collector does.
    private func dropExpiredLeases(_ namespace: String) throws {
        let rows = try database.query("SELECT id, labels FROM leases WHERE namespace = ?", [.text(namespace)])
        for row in rows {
            guard let text = try row.labels("labels")["containerd.io/gc.expire"],
                let expiry = Timestamp(rfc3339: text), expiry < .now
            else { continue }
            try database.execute(
                "DELETE FROM leases WHERE namespace = ? AND id = ?", [.text(namespace), .text(try row.text("id"))])
        }
    }

    /// The ids of everything that a lease of the namespace holds.
    private func leasedResources(_ namespace: String) throws -> Set<String> {
        let rows = try database.query("SELECT id FROM lease_resources WHERE namespace = ?", [.text(namespace)])
        return Set(try rows.map { try $0.text("id") })
    }
}

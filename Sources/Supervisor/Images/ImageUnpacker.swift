// SPDX-License-Identifier: Apache-2.0
import ContentStore
import LinuxSystem
import OCISpec
import Snapshots
import Threads

/// Unpacks the layers of one image, lowest first, into committed snapshots named by chainID. Layers that are unpacked
/// already are left alone; two unpacks of one layer at the same time become one.
struct ImageUnpacker: Sendable {
    let services: ImageServices
    let namespace: String
    let progress: ImageProgressHandler

    /// The label that keeps an image's snapshots from being collected, on its config blob.
    static func snapshotLabel(_ snapshotter: String) -> String { "containerd.io/gc.ref.snapshot.\(snapshotter)" }

    /// Unpacks `manifest`; before layer n is touched, `layerIsReady(n)` must return.
    func unpack(
        _ manifest: Manifest, _ config: ImageConfig, layerIsReady: @Sendable (Int) async throws -> Void
    ) async throws {
        guard manifest.layers.count == config.diffIDs.count else {
            throw ServiceError(
                .invalidArgument,
                "image has \(manifest.layers.count) layers but its config names \(config.diffIDs.count)")
        }
        let chain = ChainID.chain(config.diffIDs)
        for index in manifest.layers.indices {
            try await layerIsReady(index)
            try await unpackOnce(
                manifest.layers[index], diffID: config.diffIDs[index], chainID: chain[index],
                parent: index > 0 ? chain[index - 1] : nil)
        }
        try await finish(manifest, chain)
    }

    private func unpackOnce(_ layer: Descriptor, diffID: Digest, chainID: ChainID, parent: ChainID?) async throws {
        let (services, namespace) = (services, namespace)
        if try await services.pool.run({ try services.snapshotter.exists(namespace, chainID.string) }) { return }
        try await services.unpacks.run(namespace + "/" + chainID.string) {
            progress(.blob(.extracting, layer))
            try await services.pool.run { try unpack(layer, diffID: diffID, chainID: chainID, parent: parent) }
        }
        progress(.blob(.extracted, layer, progress: layer.size))
    }

    /// Blocks. The content becomes durable in `finish`, once for all layers.
    private func unpack(_ layer: Descriptor, diffID: Digest, chainID: ChainID, parent: ChainID?) throws {
        let snapshotter = services.snapshotter
        if try snapshotter.exists(namespace, chainID.string) { return }
        let key = "extract-\(monotonicNanoseconds()) \(chainID)"
        let mounts = try snapshotter.prepare(namespace, key, parent: parent?.string ?? "", labels: [:])
        do {
            let progress = progress
            let applied = try services.applier.apply(namespace, layer: layer, mounts: mounts) { count in
                progress(.blob(.extracting, layer, progress: count))
            }
            guard applied.digest == diffID else {
                throw ServiceError(
                    .invalidArgument,
                    "layer \(layer.digest) unpacks to \(applied.digest), but the image names \(diffID)")
            }
            try snapshotter.commit(namespace, name: chainID.string, key: key, labels: [:], durability: .later)
        } catch {
            try? snapshotter.remove(namespace, key)
            if let error = error as? ServiceError, error.kind == .alreadyExists { return }
            throw error
        }
    }

    private func finish(_ manifest: Manifest, _ chain: [ChainID]) async throws {
        guard let top = chain.last else { return }
        let (services, namespace) = (services, namespace)
        try await services.pool.run {
            try services.snapshotter.makeDurable(namespace, chain.map { $0.string })
            try services.content.updateLabels(namespace, manifest.config.digest) {
                $0[Self.snapshotLabel(services.snapshotter.name)] = top.string
            }
        }
    }
}

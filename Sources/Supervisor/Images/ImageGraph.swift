// SPDX-License-Identifier: Apache-2.0
import ContentStore
import OCISpec

/// Walks from an image's target to all that it refers to, as far as it is in the content store.
struct ImageGraph {
    let content: ContentStore
    let namespace: String

    /// What was found.
    struct Reach {
        var blobs: Set<Digest> = []
        /// The snapshots of each config's layers, lowest first.
        var chains: [[ChainID]] = []

        var snapshots: Set<String> { Set(chains.joined().map { $0.string }) }
    }

    /// Adds everything below `descriptor`. What is missing or unreadable has nothing below it.
    func visit(_ descriptor: Descriptor, into reach: inout Reach) {
        guard reach.blobs.insert(descriptor.digest).inserted else { return }
        guard let bytes = try? content.read(namespace, descriptor.digest, limit: ImageDocument.maximumBytes),
            let document = try? ImageDocument(parsing: bytes, mediaType: descriptor.mediaType)
        else { return }
        switch document {
        case .index(let index): for child in index.manifests { visit(child, into: &reach) }
        case .manifest(let manifest):
            reach.blobs.formUnion(manifest.layers.map { $0.digest })
            guard reach.blobs.insert(manifest.config.digest).inserted else { return }
            if let config = try? readConfig(manifest) { reach.chains.append(ChainID.chain(config.diffIDs)) }
        }
    }

    private func readConfig(_ manifest: Manifest) throws -> ImageConfig {
        try ImageConfig(
            parsing: try content.read(namespace, manifest.config.digest, limit: ImageConfig.maximumBytes))
    }
}

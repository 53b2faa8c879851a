// SPDX-License-Identifier: Apache-2.0
import OCISpec

// What a registry wants to know of a manifest or index.
extension ImageDocument {
    /// Blobs that the repository must have; layers that come from elsewhere are none.
    var blobs: [Digest] {
        guard case .manifest(let manifest) = self else { return [] }
        let layers = manifest.layers.filter { !(MediaType.isForeign($0.mediaType) && !$0.urls.isEmpty) }
        return [manifest.config.digest] + layers.map(\.digest)
    }

    /// Manifests that the repository must have.
    var children: [Digest] {
        guard case .index(let index) = self else { return [] }
        return index.manifests.map(\.digest)
    }

    /// The manifest that this one is about; it need not be there.
    var subject: Digest? {
        switch self {
        case .manifest(let manifest): manifest.subject?.digest
        case .index(let index): index.subject?.digest
        }
    }

    /// What the list of referrers calls it: a manifest that does not say is of its configuration's type.
    var artifactType: String {
        switch self {
        case .manifest(let manifest): manifest.artifactType ?? manifest.config.mediaType
        case .index(let index): index.artifactType ?? ""
        }
    }

    var annotations: Annotations {
        switch self {
        case .manifest(let manifest): manifest.annotations
        case .index(let index): index.annotations
        }
    }

    /// As the document calls itself, or its form shows.
    var mediaType: String {
        switch self {
        case .manifest(let manifest): manifest.mediaType
        case .index(let index): index.mediaType
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package import OCISpec

/// A step of a pull, a push or an import, as containerd's transfer service reports it.
package struct ImageTransferProgress: Sendable, Equatable {
    /// The words of containerd's progress messages. Those that begin with a capital tell of the whole transfer and
    /// have no name; `fetching`, `saved`, `pushing` and `pushed` tell of an image, with what it points to.
    package enum Event: String, Sendable, Equatable {
        case resolving = "Resolving from OCI Registry"
        case pulling = "Pulling from OCI Registry"
        case pulled = "Completed pull from OCI Registry"
        case startedPush = "Pushing to OCI Registry"
        case finishedPush = "Completed push to OCI Registry"
        case importing = "Importing"
        case imported = "Completed import"
        case exporting = "Exporting"
        case exported = "Completed export"
        case fetching = "fetching image content"
        case pushing = "pushing content"
        case pushed = "pushed content"
        case waiting
        case downloading
        /// A download broke off, and goes on in so many seconds, `detail`.
        case retrying = "retrying in"
        case complete
        case exists = "already exists"
        case extracting
        case uploading
        /// A registry took a blob over from another of its repositories, `detail`.
        case mounted = "mounted from"
        /// A layer that does not belong into a registry.
        case skipped = "skipped foreign layer"
        case extracted
        case saved
    }

    package var event: Event
    /// A blob's `transferName`, or the reference of the image; empty if this is about the whole transfer.
    package var name: String
    /// The names of what this belongs to: the manifest of a layer, the image of a manifest.
    package var parents: [String]
    package var progress: Int64
    package var total: Int64
    package var descriptor: Descriptor?
    /// Follows the event's words.
    package var detail = ""

    package init(
        _ event: Event, _ name: String, parents: [String] = [], progress: Int64 = 0, total: Int64 = 0,
        descriptor: Descriptor? = nil
    ) {
        self.event = event
        self.name = name
        self.parents = parents
        self.progress = progress
        self.total = total
        self.descriptor = descriptor
    }
}

extension ImageTransferProgress {
    /// A step of the whole transfer, from or to `place`.
    package static func step(_ event: Event, _ place: String = "") -> Self {
        var step = Self(event, "")
        step.detail = place.isEmpty ? "" : "(\(place))"
        return step
    }

    /// A step of one blob.
    package static func blob(
        _ event: Event, _ blob: Descriptor, in parent: String? = nil, progress: Int64 = 0
    ) -> Self {
        Self(
            event, blob.transferName, parents: parent.map { [$0] } ?? [], progress: progress, total: blob.size,
            descriptor: blob)
    }
}

extension Descriptor {
    /// containerd's name for a blob that is under way: what it is, and its digest.
    package var transferName: String {
        let kind =
            if MediaType.isIndex(mediaType) {
                "index"
            } else if MediaType.isManifest(mediaType) {
                "manifest"
            } else if MediaType.isLayer(mediaType) {
                "layer"
            } else if mediaType == MediaType.ociConfig || mediaType == MediaType.dockerConfig {
                "config"
            } else {
                "unknown"
            }
        return "\(kind)-\(digest)"
    }
}

/// Receives progress, in order for each name. Must not block.
package typealias ImageProgressHandler = @Sendable (ImageTransferProgress) -> Void

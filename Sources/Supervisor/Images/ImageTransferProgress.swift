// SPDX-License-Identifier: Apache-2.0
package import OCISpec

/// A step of a pull, a push or an import, as containerd's transfer service reports it.
package struct ImageTransferProgress: Sendable, Equatable {
    /// The words of containerd's progress messages; `saved` names an image that an import brought.
    package enum Event: String, Sendable, Equatable {
        case resolving
        case resolved = "resolved to"
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
        case done
    }

    package var event: Event
    /// The digest of a blob, or the reference of the image.
    package var name: String
    /// The names of what this belongs to: the manifest of a layer.
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

/// Receives progress, in order for each name. Must not block.
package typealias ImageProgressHandler = @Sendable (ImageTransferProgress) -> Void

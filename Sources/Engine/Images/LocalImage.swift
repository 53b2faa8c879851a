// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
package import LinuxSystem
package import OCISpec

/// An image with all its names: docker's view, where containerd has only names that point to digests.
package struct LocalImage: Sendable {
    package struct Name: Sendable {
        /// The supervisor's key.
        package var key: String
        /// nil for a dangling image's key, which is no name.
        package var reference: ImageReference?
        package var wasPulled: Bool
        package var updatedAt: Timestamp
    }

    package var details: ImageDetails
    package var names: [Name]
    /// The image that it was made from, as long as that is here.
    package var parentID = ""
    /// Whether an image that is here was made from it.
    package var hasChildren = false

    package var id: String { details.id }

    /// The twelve digits that docker shows.
    package var shortID: String { shortImageID(id) }

    package var tagged: [ImageReference] { names.compactMap(\.reference).filter { $0.tag != nil } }

    /// `busybox:latest`, …
    package var repoTags: [String] { tagged.map(\.familiar).sorted() }

    /// `busybox@sha256:…` for each repository that it was pulled from.
    package var repoDigests: [String] {
        var digests: Set<String> = []
        for name in names where name.wasPulled || name.reference?.digest != nil {
            guard let reference = name.reference else { continue }
            digests.insert(reference.familiarName + "@" + details.target.digest.string)
        }
        return digests.sorted()
    }

    /// The repositories that show the image's digest.
    private var digestRepositories: Set<String> {
        Set(names.filter { $0.wasPulled || $0.reference?.digest != nil }.compactMap { $0.reference?.name })
    }

    /// Whether all names are one for docker: a tag, and the digest in the same repository.
    var hasSingleReference: Bool {
        guard tagged.count <= 1 else { return false }
        let digests = digestRepositories
        return digests.count + tagged.count <= 1 || (digests.count == 1 && tagged.allSatisfy { digests == [$0.name] })
    }

    package var isDangling: Bool { tagged.isEmpty }

    /// Only a step on the way to another image: docker lists such ones with `--all` alone.
    package var isIntermediate: Bool { hasChildren && names.allSatisfy { $0.reference == nil } }

    package var lastTagTime: Timestamp? { names.filter { $0.reference != nil }.map(\.updatedAt).max() }
}

extension LocalImage.Name {
    /// Marks a name that came from a registry, and so may show the digest it has there.
    static let pulledLabel = "io.swrun.image.pulled"
    /// The name of an image that has lost its last one; containerd's own convention with docker.
    static let danglingPrefix = "moby-dangling@"

    init(_ image: ImageMessage) {
        key = image.name
        reference =
            image.name.hasPrefix(Self.danglingPrefix) ? nil : (try? ImageReference(image.name))
        wasPulled = image.labels[Self.pulledLabel] != nil
        updatedAt = Timestamp(image.updatedAt)
    }
}

/// `sha256:7fc8925289a8…` to `7fc8925289a8`.
package func shortImageID(_ id: String) -> String {
    String((id.hasPrefix("sha256:") ? id.dropFirst(7) : id[...]).prefix(12))
}

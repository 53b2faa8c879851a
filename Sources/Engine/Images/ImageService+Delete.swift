// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import OCISpec
import SwiftProtobuf

/// What the removal of an image did, line by line.
package enum ImageRemoval: Sendable, Equatable {
    case untagged(String)
    case deleted(String)
}

extension ImageService {
    /// Removes a name, and the image with its last name; docker's rules and texts. By ID, all names of the image.
    /// An image that another one was made from stays without a name until that is removed.
    ///
    /// - Parameter prunesParents: whether parents go too that have no name and no other use.
    package func remove(
        _ nameOrID: String, force: Bool, prunesParents: Bool = true
    ) async throws -> [ImageRemoval] {
        let image = try await inspect(nameOrID)
        let users = await users(of: image.id)
        let isName = try await !find(nameOrID).name.isEmpty  // `a` may be a name, though an ID begins with it
        let removals =
            try await isName
            ? removeByName(nameOrID, image, users, force: force) : removeByID(image, users, force: force)
        guard prunesParents, removals.contains(.deleted(image.id)) else { return removals }
        return try await removals + removeUnusedParents(of: image)
    }

    /// The parents that were kept for `image` alone, from the nearest on.
    private func removeUnusedParents(of image: LocalImage) async throws -> [ImageRemoval] {
        var removals: [ImageRemoval] = []
        var parentID = image.parentID
        while !parentID.isEmpty {
            let all = try await all()
            guard let parent = all.first(where: { $0.id == parentID }),
                parent.names.allSatisfy({ $0.reference == nil }),
                !parent.hasChildren, await users(of: parentID).isEmpty
            else { break }
            removals += try await delete(parent, names: parent.names)
            parentID = parent.parentID
        }
        return removals
    }

    private func removeByName(
        _ text: String, _ image: LocalImage, _ users: [ImageUser], force: Bool
    ) async throws -> [ImageRemoval] {
        let reference = try ImageReference(text).taggedByDefault
        if !force, image.hasSingleReference, let user = users.first {
            throw EngineError.conflict(
                "conflict: unable to remove repository reference \"\(text)\" (must force) - container "
                    + "\(user.containerID.prefix(12)) is using its referenced image \(image.shortID)")
        }
        if reference.digest != nil, !image.tagged.isEmpty { return try await hideDigest(image, reference) }
        let names = Self.names(of: image, endedBy: reference)
        if names.count < image.names.filter({ $0.reference != nil }).count { return try await untag(image, names) }
        // The last name goes, and the image too, unless a running container or another image needs it.
        if image.hasChildren || users.contains(where: \.isRunning) {
            try await supervisor.setImage(Self.dangling(image))
            return try await untag(image, names)
        }
        let untagged = Self.untaggings(image, names)
        return try await untagged + delete(image, names: image.names)
    }

    /// The name itself; and with the last tag of a repository the digest that the image has there.
    private static func names(of image: LocalImage, endedBy reference: ImageReference) -> [LocalImage.Name] {
        let repository = image.names.filter { $0.reference?.name == reference.name }
        if reference.digest != nil { return repository }
        let hasOtherTag = repository.contains { $0.reference?.tag != nil && $0.reference != reference }
        return hasOtherTag ? repository.filter { $0.reference == reference } : repository
    }

    /// Removes a digest of an image that has tags: those of the same repository stay, and no longer show it.
    private func hideDigest(_ image: LocalImage, _ reference: ImageReference) async throws -> [ImageRemoval] {
        for name in image.names where name.reference?.name == reference.name {
            if name.reference?.tag == nil {
                try await supervisor.deleteImage(name.key, sync: false)
            } else if name.wasPulled {
                var record = try await supervisor.image(name.key)
                record.labels[LocalImage.Name.pulledLabel] = nil
                try await supervisor.setImage(record)
            }
        }
        publish("untag", image.details)
        return [.untagged(reference.familiarName + "@" + image.details.target.digest.string)]
    }

    private func removeByID(_ image: LocalImage, _ users: [ImageUser], force: Bool) async throws -> [ImageRemoval] {
        if image.hasChildren {
            throw EngineError.conflict(
                "conflict: unable to delete \(image.shortID) (cannot be forced) - image has dependent child images")
        }
        if let user = users.first(where: \.isRunning) {
            throw Self.conflict(image.shortID, usedBy: user)
        }
        if !force {
            if !image.hasSingleReference {
                throw EngineError.conflict(
                    "conflict: unable to delete \(image.shortID) (must be forced) - image is referenced in multiple "
                        + "repositories")
            }
            if let user = users.first { throw Self.conflict(image.shortID, usedBy: user) }
        }
        return try await Self.untaggings(image, image.names) + delete(image, names: image.names)
    }

    static func conflict(_ shortID: String, usedBy user: ImageUser) -> EngineError {
        let (remedy, state) = user.isRunning ? ("cannot be forced", "running") : ("must be forced", "stopped")
        return .conflict(
            "conflict: unable to delete \(shortID) (\(remedy)) - image is being used by \(state) container "
                + "\(user.containerID.prefix(12))")
    }

    private static func dangling(_ image: LocalImage) -> ImageMessage {
        .with {
            $0.name = LocalImage.Name.danglingPrefix + image.details.target.digest.string
            $0.target = image.details.target.message
        }
    }

    /// `Untagged:` lines: the names, and the digests of repositories that have no tag left.
    private static func untaggings(_ image: LocalImage, _ names: [LocalImage.Name]) -> [ImageRemoval] {
        let references = names.compactMap(\.reference)
        let left = image.names.filter { name in !names.contains { $0.key == name.key } }.compactMap(\.reference)
        let digests = image.repoDigests.filter { digest in
            references.contains { digest.hasPrefix($0.familiarName + "@") }
                && !left.contains { digest.hasPrefix($0.familiarName + "@") }
        }
        let tags = references.filter { $0.tag != nil }.map(\.familiar).sorted()
        return (tags + digests).map { .untagged($0) }
    }

    private func untag(_ image: LocalImage, _ names: [LocalImage.Name]) async throws -> [ImageRemoval] {
        for name in names {
            try await supervisor.deleteImage(name.key, sync: false)
            publish("untag", image.details)
        }
        return Self.untaggings(image, names)
    }

    /// Deletes all names; returns `Deleted:` lines for the image and for the layers that no other image has.
    private func delete(_ image: LocalImage, names: [LocalImage.Name]) async throws -> [ImageRemoval] {
        let others = try await all().filter { $0.id != image.id }
        for (index, name) in names.enumerated() {
            try await supervisor.deleteImage(name.key, sync: index == names.count - 1)
            if name.reference != nil { publish("untag", image.details) }
        }
        loader.forget(image.details.target.digest.string)
        publish("delete", image.details)
        let kept = Set(others.flatMap(\.details.chain))
        let layers = image.details.chain.reversed().filter { !kept.contains($0) }
        return ([image.id] + layers).map { .deleted($0) }
    }
}

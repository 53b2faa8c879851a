// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
package import OCISpec
import SwiftProtobuf

/// Images for several platforms, of which any number may be here.
extension ImageService {
    /// The same image for another platform; `name` is how it was asked for.
    ///
    /// - Throws: `EngineError` of kind `notFound` if it is not here for that.
    func variant(of image: ImageDetails, for platform: Platform, named name: String) async throws -> ImageDetails {
        do {
            let variant = try await loader.details(image.target.message, platform: platform)
            if platform.rank(variant.config.platform) != nil { return variant }
        } catch let error as EngineError where error.kind == .notFound {}
        throw EngineError.notFound(
            "image with reference \(name) was found but its platform (\(image.config.platform.dockerString)) "
                + "does not match the specified platform (\(platform.dockerString))")
    }

    /// What is here of an image: all of it, or what `platforms` name. An image that is not whole counts as its main
    /// platform's.
    func variants(
        of image: ImageDetails, for platforms: [Platform], named name: String
    ) async throws -> [ImageDetails] {
        if platforms.isEmpty {
            let variants = try await loader.variants(image.target.message)
            return variants.isEmpty ? [image] : variants
        }
        var variants: [ImageDetails] = []
        for platform in platforms {
            let variant = try await variant(of: image, for: platform, named: name)
            if !variants.contains(variant) { variants.append(variant) }
        }
        return variants
    }

    /// Removes an image, or only what it is for some platforms: then the name stays, as long as it is here for others.
    ///
    /// - Returns: a `Deleted:` line for each of their manifests; what else only that needs goes with a later collection.
    package func remove(
        _ nameOrID: String, platforms: [Platform], force: Bool, prunesParents: Bool = true
    ) async throws -> [ImageRemoval] {
        let plain = { try await self.remove(nameOrID, force: force, prunesParents: prunesParents) }
        if platforms.isEmpty { return try await plain() }
        let (image, _) = try await find(nameOrID)
        let wanted = try await variants(of: image, for: platforms, named: nameOrID)
        guard try await loader.variants(image.target.message).count > wanted.count else { return try await plain() }
        for variant in wanted { try await checkUnused(variant, force: force) }
        loader.forget(image.target.digest.string)
        var removals: [ImageRemoval] = []
        for variant in wanted {
            try await supervisor.deleteContent(variant.manifestDigest)
            removals.append(.deleted(variant.manifestDigest))
            publish("delete", variant)
        }
        return removals
    }

    private func checkUnused(_ image: ImageDetails, force: Bool) async throws {
        let users = await users(of: image.id)
        guard let user = users.first(where: \.isRunning) ?? (force ? nil : users.first) else { return }
        throw Self.conflict(shortImageID(image.id), usedBy: user)
    }
}

extension Platform {
    var message: Containerd_Types_Platform {
        .with { ($0.os, $0.architecture, $0.variant) = (os, architecture, variant) }
    }
}

extension Descriptor {
    var message: DescriptorMessage {
        .with { ($0.mediaType, $0.digest, $0.size) = (mediaType, digest.string, size) }
    }
}

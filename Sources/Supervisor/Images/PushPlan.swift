// SPDX-License-Identifier: Apache-2.0
import ContentStore
import LinuxSystem
import OCISpec

/// What a push has to bring into a repository: blobs, then the manifests that name them, then the target.
struct PushPlan: Sendable, Equatable {
    /// What the tag will point to.
    var target: Descriptor
    /// Manifests and indexes below the target, each after those that it names.
    var manifests: [Descriptor] = []
    /// Layers and configs, each once.
    var blobs: [Descriptor] = []
    /// Layers that come from elsewhere and stay there.
    var foreign: [Descriptor] = []
}

/// Finds out what of an image is in the content store. Calls block.
struct PushPlanner {
    let content: ContentStore
    let namespace: String

    private static let maximumDepth = 4

    /// - Parameter platform: pushes only that image of an index; nil pushes all of the index, or what is here of it.
    func plan(_ target: Descriptor, platform: Platform?) throws -> PushPlan {
        guard case .index(let index) = try document(target) else {
            if let platform { try check(target, platform) }
            return try whole(target)
        }
        if let platform {
            guard let chosen = index.manifest(for: platform), try isComplete(chosen, depth: 1) else {
                throw ServiceError(
                    .notFound, "image does not provide the specified platform (\(platform.dockerString))")
            }
            return try whole(chosen)
        }
        if try isComplete(target, depth: 0) { return try whole(target) }
        let present = try index.manifests.filter { try !$0.isAttestation && isComplete($0, depth: 1) }
        guard let chosen = Platform.host.best(among: present.map { $0.platform }).map({ present[$0] }) ?? present.first
        else { throw ServiceError(.notFound, "no image of the index \(target.digest) is here completely") }
        return try whole(chosen)
    }

    private func whole(_ target: Descriptor) throws -> PushPlan {
        var plan = PushPlan(target: target)
        try collect(target, &plan, depth: 0)
        plan.manifests.removeLast()  // the target itself
        return plan
    }

    private func collect(_ descriptor: Descriptor, _ plan: inout PushPlan, depth: Int) throws {
        switch try document(descriptor) {
        case .index(let index):
            guard depth < Self.maximumDepth else { throw ServiceError(.invalidArgument, "index is nested too deeply") }
            for child in index.manifests where !plan.manifests.contains(where: { $0.digest == child.digest }) {
                try collect(child, &plan, depth: depth + 1)
            }
        case .manifest(let manifest):
            for layer in manifest.layers where MediaType.isForeign(layer.mediaType) && !layer.urls.isEmpty {
                plan.foreign.append(layer)
            }
            for blob in manifest.layers + [manifest.config]
            where !(plan.blobs + plan.foreign).contains(where: { $0.digest == blob.digest }) {
                plan.blobs.append(blob)
            }
        }
        plan.manifests.append(descriptor)
    }

    private func isComplete(_ descriptor: Descriptor, depth: Int) throws -> Bool {
        guard depth < Self.maximumDepth, try content.contains(namespace, descriptor.digest) else { return false }
        switch try document(descriptor) {
        case .index(let index): return try index.manifests.allSatisfy { try isComplete($0, depth: depth + 1) }
        case .manifest(let manifest):
            return try (manifest.layers + [manifest.config]).allSatisfy {
                try MediaType.isForeign($0.mediaType) || content.contains(namespace, $0.digest)
            }
        }
    }

    private func document(_ descriptor: Descriptor) throws -> ImageDocument {
        let bytes = try content.read(namespace, descriptor.digest, limit: ImageDocument.maximumBytes)
        return try ImageDocument(parsing: bytes, mediaType: descriptor.mediaType)
    }

    private func check(_ target: Descriptor, _ platform: Platform) throws {
        guard case .manifest(let manifest) = try document(target) else { return }
        let config = try ImageConfig(
            parsing: try content.read(namespace, manifest.config.digest, limit: ImageConfig.maximumBytes))
        guard platform.rank(config.platform) != nil else {
            throw ServiceError(.notFound, "image does not provide the specified platform (\(platform.dockerString))")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import JSON
import LinuxSystem
import OCISpec
import Synchronization

/// Reads manifests and configurations from the supervisor's content store, and remembers them: what a digest names
/// does not change.
final class ImageLoader: Sendable {
    private let supervisor: SupervisorConnection
    private let known = Mutex<[Key: ImageDetails]>([:])

    /// Indexes in indexes.
    private static let maximumDepth = 3

    private struct Key: Hashable {
        var target: String
        var platform: Platform?
    }

    init(_ supervisor: SupervisorConnection) { self.supervisor = supervisor }

    /// - Parameter platform: nil is this machine's, or else whatever of the image is here.
    func details(_ target: DescriptorMessage, platform: Platform? = nil) async throws -> ImageDetails {
        let key = Key(target: target.digest, platform: platform)
        if let details = known.withLock({ $0[key] }) { return details }
        let (digest, manifest) = try await manifest(target.digest, target.mediaType, platform, depth: 0)
        let details = try await load(target, digest, manifest)
        // "Whatever is here" is another image as soon as this machine's arrives.
        let isLasting = platform != nil || Platform.host.rank(details.config.platform) != nil
        if isLasting, details.chain.count == details.config.diffIDs.count { known.withLock { $0[key] = details } }
        return details
    }

    /// What is here of an image: one for each platform, in the order of its index.
    func variants(_ target: DescriptorMessage) async throws -> [ImageDetails] {
        var variants: [ImageDetails] = []
        for (digest, manifest) in try await manifests(target.digest, target.mediaType, depth: 0) {
            variants.append(try await load(target, digest, manifest))
        }
        return variants
    }

    /// Forgets an image of which parts came or went.
    func forget(_ target: String) {
        known.withLock { known in known = known.filter { $0.key.target != target } }
    }

    /// Forgets images that are gone.
    func keepOnly(_ targets: Set<String>) {
        known.withLock { known in known = known.filter { targets.contains($0.key.target) } }
    }

    private func load(
        _ target: DescriptorMessage, _ digest: String, _ manifest: Manifest
    ) async throws -> ImageDetails {
        let config = try ImageConfig(parsing: await supervisor.readContent(manifest.config.digest.string))
        let labels = try await supervisor.contentInfo(manifest.config.digest.string).labels
        let layers = try await chain(labels)
        var sizes: [Int64] = []
        for layer in layers { sizes.append(try await supervisor.layerBytes(layer)) }
        return ImageDetails(
            id: manifest.config.digest.string,
            target: Descriptor(mediaType: target.mediaType, digest: try Digest(target.digest), size: target.size),
            manifestDigest: digest, layers: manifest.layers, config: config, chain: layers.map(\.name),
            directories: layers.compactMap { $0.labels[SupervisorConnection.directoryLabel].map { FilePath($0) } },
            layerSizes: sizes, parent: labels[ImageService.parentLabel] ?? "")
    }

    private func manifest(
        _ digest: String, _ mediaType: String, _ platform: Platform?, depth: Int
    ) async throws -> (String, Manifest) {
        let bytes = try await supervisor.readContent(digest)
        switch try ImageDocument(parsing: bytes, mediaType: mediaType) {
        case .manifest(let manifest): return (digest, manifest)
        case .index(let index):
            guard depth < Self.maximumDepth else {
                throw EngineError.internal("image index \(digest) is nested too deeply")
            }
            for choice in choices(index, platform) {
                do {
                    return try await self.manifest(choice.digest.string, choice.mediaType, platform, depth: depth + 1)
                } catch let error as EngineError where error.kind == .notFound {
                    continue  // of an index only what was asked for is here
                }
            }
            let wanted = platform ?? .host
            throw EngineError.notFound("no manifest of \(digest) for platform \(wanted) is here")
        }
    }

    /// The manifests below a digest of which all is here.
    private func manifests(
        _ digest: String, _ mediaType: String, depth: Int
    ) async throws -> [(digest: String, manifest: Manifest)] {
        switch try ImageDocument(parsing: await supervisor.readContent(digest), mediaType: mediaType) {
        case .manifest(let manifest):
            for blob in [manifest.config] + manifest.layers { _ = try await supervisor.contentInfo(blob.digest.string) }
            return [(digest, manifest)]
        case .index(let index):
            guard depth < Self.maximumDepth else { return [] }
            var found: [(digest: String, manifest: Manifest)] = []
            for child in index.manifests where !child.isAttestation {
                do {
                    found += try await manifests(child.digest.string, child.mediaType, depth: depth + 1)
                } catch let error as EngineError where error.kind == .notFound {
                    continue
                }
            }
            return found
        }
    }

    private func choices(_ index: Index, _ platform: Platform?) -> [Descriptor] {
        let preferred = index.manifest(for: platform ?? .host).map { [$0] } ?? []
        if platform != nil { return preferred }
        return preferred + index.manifests.filter { !$0.isAttestation && $0.digest != preferred.first?.digest }
    }

    /// The snapshots of the image with this configuration, lowest first: its label names the top one.
    private func chain(_ labels: [String: String]) async throws -> [Containerd_Services_Snapshots_V1_Info] {
        let label = "containerd.io/gc.ref.snapshot." + SupervisorConnection.snapshotter
        guard var key = labels[label] else { return [] }
        var chain: [Containerd_Services_Snapshots_V1_Info] = []
        while !key.isEmpty, chain.count <= Manifest.maximumLayers {
            chain.append(try await supervisor.snapshot(key))
            key = chain.last?.parent ?? ""
        }
        return chain.reversed()
    }
}

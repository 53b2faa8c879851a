// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
package import DockerAPI
package import JSON
import LinuxSystem
import OCISpec
import SwiftProtobuf

/// An image that is being put together here rather than pulled: its configuration and its layers, which are in the
/// content store already.
struct NewImage: Sendable {
    /// The configuration (image-spec config.md), but for `rootfs`.
    var document: JSONValue
    var layers: [Descriptor] = []
    var diffIDs: [String] = []
    /// The snapshot of the top layer; empty without layers.
    var chainID = ""
    /// The image that it was made from, by `commit` or a build.
    var parent = ""
}

/// A layer that is in the content store and unpacked.
struct NewLayer: Sendable {
    var descriptor: Descriptor
    var diffID: String
    var chainID: String

    /// The diffID of a layer without entries: two empty blocks.
    static let emptyDiffID = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
}

extension ImageService {
    /// Names the image that another was made from, on its configuration's blob.
    static let parentLabel = "io.swrun.image.parent"

    /// The members of a container's configuration that an image has, those that say something.
    package static func imageConfig(_ config: ContainerConfig) -> JSONValue {
        let names = [
            "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Healthcheck", "ArgsEscaped", "Volumes", "WorkingDir",
            "OnBuild", "Labels", "StopSignal", "Shell",
        ]
        var object: JSONValue = .object([])
        for name in names {
            guard let value = config.json[name], !value.saysNothing else { continue }
            object.set(name, value)
        }
        return object
    }

    /// Unpacks a layer on top of the snapshot `parent` (empty for none), unless that was done before.
    func unpack(_ layer: DescriptorMessage, on parent: String) async throws -> NewLayer {
        let key = "extract-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max)) \(layer.digest)"
        let mounts = try await supervisor.prepareSnapshot(key, parent: parent)
        do {
            let diffID = try await supervisor.apply(layer, to: mounts)
            let chainID = parent.isEmpty ? diffID : sha256Digest(Array((parent + " " + diffID).utf8))
            do {
                try await supervisor.commitSnapshot(chainID, key: key)
            } catch let error as EngineError where error.kind == .alreadyExists {
                try await supervisor.removeSnapshot(key)
            }
            let descriptor = Descriptor(
                mediaType: layer.mediaType, digest: try Digest(layer.digest), size: layer.size)
            return NewLayer(descriptor: descriptor, diffID: diffID, chainID: chainID)
        } catch {
            try? await supervisor.removeSnapshot(key)
            throw error
        }
    }

    /// Stores configuration and manifest and gives the image its name, or none.
    func store(_ image: NewImage, name: ImageReference?) async throws -> ImageDetails {
        var document = image.document
        document.set("rootfs", ["type": "layers", "diff_ids": .strings(image.diffIDs)])
        if let history = document["history"] {  // last, as everyone writes it
            document = .object((document.members ?? []).filter { $0.key != "history" })
            document.set("history", history)
        }
        let config = document.bytes()
        var labels: [String: String] = [:]
        if !image.chainID.isEmpty {
            labels["containerd.io/gc.ref.snapshot." + SupervisorConnection.snapshotter] = image.chainID
        }
        if !image.parent.isEmpty { labels[Self.parentLabel] = image.parent }
        let id = try await supervisor.writeContent(config, labels: labels)
        let manifest = Manifest(
            mediaType: MediaType.ociManifest,
            config: Descriptor(mediaType: MediaType.ociConfig, digest: try Digest(id), size: Int64(config.count)),
            layers: image.layers.map { $0.asOCI })
        let target = try await store(manifest)
        let details = try await loader.details(target)
        if let name {
            try await point(name.normalized, to: details, labels: [:])
        } else {
            try await keepDangling(target, except: "")
        }
        return details
    }

    private func store(_ manifest: Manifest) async throws -> DescriptorMessage {
        let bytes = manifest.json.bytes()
        var labels = ["containerd.io/gc.ref.content.config": manifest.config.digest.string]
        for (index, layer) in manifest.layers.enumerated() {
            labels["containerd.io/gc.ref.content.l.\(index)"] = layer.digest.string
        }
        let digest = try await supervisor.writeContent(bytes, labels: labels)
        return .with { ($0.mediaType, $0.digest, $0.size) = (manifest.mediaType, digest, Int64(bytes.count)) }
    }
}

extension JSONValue {
    /// Go's zero values: null, false, 0, "", [], {}.
    fileprivate var saysNothing: Bool {
        switch self {
        case .null, .bool(false), .int(0), .string(""): true
        case .array(let list): list.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}

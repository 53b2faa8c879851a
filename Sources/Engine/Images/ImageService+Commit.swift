// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
package import DockerAPI
import JSON
import LinuxSystem
package import OCISpec
import SwiftProtobuf

/// What a new image gets out of a container, besides its layer.
package struct ImageCommit: Sendable {
    /// The name of the new image, if any.
    package var reference: ImageReference?
    package var author = ""
    package var comment = ""
    /// The whole configuration of the new image.
    package var config: ContainerConfig
    /// The command of the container, for the history.
    package var createdBy = ""

    package init(config: ContainerConfig) { self.config = config }
}

extension ImageService {
    /// Makes an image of the image `parentID`, one layer more, and another configuration.
    func commit(_ commit: ImageCommit, layer: DescriptorMessage, parent parentID: String) async throws -> ImageDetails {
        let base: ImageDetails
        do { base = try await find(parentID).0 } catch let error as EngineError where error.kind == .notFound {
            throw EngineError.notFound(
                "the container's image \(shortImageID(parentID)) was removed: nothing is left to add the changes to")
        }
        let diffID = try await supervisor.contentInfo(layer.digest).labels["containerd.io/uncompressed"]
        let isEmpty = diffID == NewLayer.emptyDiffID
        var image = NewImage(document: Self.document(commit, on: base, isEmpty: isEmpty))
        image.layers = base.layers
        image.diffIDs = base.config.diffIDs.map(\.string)
        image.chainID = base.chain.last ?? ""
        image.parent = base.id
        if !isEmpty {
            let added = try await unpack(layer, on: image.chainID)
            image.layers.append(added.descriptor)
            image.diffIDs.append(added.diffID)
            image.chainID = added.chainID
        }
        let details = try await store(image, name: commit.reference)
        if let reference = commit.reference { publish("tag", details, name: reference.familiar) }
        return details
    }

    private static func document(_ commit: ImageCommit, on base: ImageDetails, isEmpty: Bool) -> JSONValue {
        let now = JSONValue.string(Timestamp.now.rfc3339())
        var entry: JSONValue = ["created": now, "created_by": .string(commit.createdBy)]
        if !commit.author.isEmpty { entry.set("author", .string(commit.author)) }
        if !commit.comment.isEmpty { entry.set("comment", .string(commit.comment)) }
        if isEmpty { entry.set("empty_layer", true) }
        var document: JSONValue = ["created": now]
        if !commit.author.isEmpty { document.set("author", .string(commit.author)) }
        for name in ["architecture", "variant", "os", "os.version", "os.features"] {
            if let value = base.config.document[name] { document.set(name, value) }
        }
        document.set("config", imageConfig(commit.config))
        document.set("history", .array((base.config.document["history"]?.array ?? []) + [entry]))
        return document
    }
}

// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
package import OCISpec
import SwiftProtobuf

extension ImageService {
    /// The name for an image that is being made; nil if it gets none.
    package static func newReference(repository: String, tag: String) throws(EngineError) -> ImageReference? {
        if repository.isEmpty { return nil }
        let reference: ImageReference
        do throws(ImageSpecError) {
            reference = try ImageReference(tag.isEmpty ? repository : repository + ":" + tag)
        } catch { throw .invalidArgument(error.message) }
        guard reference.digest == nil else { throw .invalidArgument("cannot use digest reference") }
        return reference.taggedByDefault
    }

    /// Gives an image one more name. An image that loses its last name by that stays as a dangling one.
    package func tag(_ nameOrID: String, repository: String, tag: String) async throws {
        let reference: ImageReference
        do {
            reference = try ImageReference(tag.isEmpty ? repository : repository + ":" + tag)
        } catch {
            throw EngineError.invalidArgument("\(error)")
        }
        if reference.digest != nil {
            throw EngineError.invalidArgument("refusing to create a tag with a digest reference")
        }
        if reference.familiar.hasPrefix("sha256:") {
            throw EngineError.invalidArgument("refusing to create an ambiguous tag using digest algorithm as name")
        }
        let (details, _) = try await find(nameOrID)
        try await point(reference.normalized, to: details, labels: [:])
        publish("tag", details, name: reference.taggedByDefault.familiar)
    }

    func point(_ name: String, to details: ImageDetails, labels: [String: String]) async throws {
        let replaced = try? await supervisor.image(name)
        let image = ImageMessage.with {
            $0.name = name
            $0.labels = labels
            $0.target.mediaType = details.target.mediaType
            $0.target.digest = details.target.digest.string
            $0.target.size = details.target.size
        }
        try await supervisor.setImage(image)
        if let replaced { try await keepDangling(replaced.target, except: details.target.digest.string) }
    }

    /// Keeps an image that no name points to any more, as docker does, until it is pruned or removed.
    func keepDangling(_ target: DescriptorMessage, except newTarget: String) async throws {
        if target.digest == newTarget { return }
        if try await supervisor.images().contains(where: { $0.target.digest == target.digest }) { return }
        try await supervisor.setImage(
            ImageMessage.with {
                $0.name = LocalImage.Name.danglingPrefix + target.digest
                $0.target = target
            })
    }
}

// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import LinuxSystem
package import OCISpec
import SwiftProtobuf
import Synchronization

extension ImageService {
    /// What `POST /images/{name}/push?tag=` means: one name, or without a tag a repository.
    package func nameToPush(_ name: String, tag: String) throws -> ImageReference {
        var wanted: ImageReference
        do throws(ImageSpecError) { wanted = try ImageReference(name) } catch {
            throw EngineError.invalidArgument(error.message)
        }
        guard wanted.digest == nil else { throw EngineError.invalidArgument("cannot push a digest reference") }
        if !tag.isEmpty {
            do throws(ImageSpecError) { wanted = try ImageReference(wanted.name + ":" + tag) } catch {
                throw EngineError.invalidArgument(error.message)
            }
        }
        return wanted
    }

    /// The name if it is here, or without a tag all of the repository's that are.
    private func present(_ wanted: ImageReference) async throws -> [ImageReference] {
        let here = try await supervisor.images().compactMap { LocalImage.Name($0).reference }
            .filter { $0.name == wanted.name && $0.tag != nil }
        guard !here.isEmpty else {
            throw EngineError.notFound(
                "An image does not exist locally with the tag: " + wanted.familiarName)
        }
        guard wanted.tag != nil else { return here.sorted { $0.string < $1.string } }
        guard here.contains(wanted) else { throw EngineError.notFound("tag does not exist: " + wanted.familiar) }
        return [wanted]
    }

    /// Pushes the image of a name, or those of a repository one after the other. That there is none is told in the lines, as
    /// docker does it. Cancelled when the lines are no longer read.
    ///
    /// - Parameter platform: only that image of each index.
    package func push(
        _ wanted: ImageReference, platform: Platform?, credentials: RegistryCredentials
    ) -> ProgressLines {
        lines { [self] emit in
            emit(.status("The push refers to repository [\(wanted.name)]", id: nil))
            for reference in try await present(wanted) {
                let (details, _) = try await find(reference.string, platform: platform)
                let progress = Mutex(PushProgress(tag: reference.tag ?? "", details))
                for line in progress.withLock({ $0.start() }) { emit(line) }
                do {
                    try await supervisor.push(
                        reference.string, platform: platform?.message, resolver: try resolver(for: reference.domain),
                        credentials: credentials, limits: configuration.uploads
                    ) { event in
                        for line in progress.withLock({ $0.take(event, now: monotonicNanoseconds()) }) { emit(line) }
                    }
                } catch {
                    throw Self.pullError(error)
                }
                for line in progress.withLock({ $0.end(target: details.target) }) { emit(line) }
                try await finishPush(reference, details, pushed: progress.withLock { $0.pushed })
            }
        }
    }

    /// The name shows its digest from now on, and the event is published.
    private func finishPush(
        _ reference: ImageReference, _ details: ImageDetails, pushed: DescriptorMessage?
    ) async throws {
        if pushed?.digest == details.target.digest.string {
            var image = try await supervisor.image(reference.string)
            if image.labels[LocalImage.Name.pulledLabel] == nil, image.target.digest == pushed?.digest {
                image.labels[LocalImage.Name.pulledLabel] = "true"
                try await supervisor.setImage(image)
            }
        }
        events.publish(
            type: .image, action: "push", id: reference.familiar,
            attributes: details.labels.filter { $0.key != "name" } + [("name", reference.familiarName)])
    }
}

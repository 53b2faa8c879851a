// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
package import Logging
package import OCISpec
import Synchronization

/// A container as far as the removal of its image is concerned.
package struct ImageUser: Sendable, Equatable {
    package var containerID: String
    package var isRunning: Bool

    package init(containerID: String, isRunning: Bool) {
        self.containerID = containerID
        self.isRunning = isRunning
    }
}

/// Tells which containers were made from an image (`sha256:…`).
package typealias ImageUsers = @Sendable (_ imageID: String) async -> [ImageUser]

/// docker's images on top of the supervisor's names and blobs.
package final class ImageService: Sendable {
    let supervisor: SupervisorConnection
    let events: EventHub
    let configuration: EngineConfiguration
    let logger: Logger
    let loader: ImageLoader
    private let imageUsers = Mutex<ImageUsers?>(nil)

    package init(
        supervisor: SupervisorConnection, events: EventHub, configuration: EngineConfiguration, logger: Logger
    ) {
        self.supervisor = supervisor
        self.events = events
        self.configuration = configuration
        self.logger = logger
        loader = ImageLoader(supervisor)
    }

    /// The container service is made after this one; it is told here who uses what.
    package func setUsers(_ users: @escaping ImageUsers) { imageUsers.withLock { $0 = users } }

    /// The containers that were made from an image, `sha256:…`.
    package func users(of imageID: String) async -> [ImageUser] {
        await imageUsers.withLock { $0 }?(imageID) ?? []
    }

    // MARK: Finding

    /// The image that a name, an ID or the beginning of an ID means.
    ///
    /// - Parameter platform: nil is this machine's, or else whatever of the image is here.
    package func resolve(_ nameOrID: String, platform: Platform? = nil) async throws -> ImageRecord {
        let (details, name) = try await find(nameOrID, platform: platform)
        return ImageRecord(
            id: details.id, chainID: details.chain.last ?? "", config: details.config.document, name: name,
            manifestDigest: details.manifestDigest, platform: details.config.platform, size: details.size)
    }

    /// Details, and the full name if it was found by name.
    ///
    /// - Throws: `EngineError` of kind `notFound`, too, if the image is not here for `platform`.
    func find(_ nameOrID: String, platform: Platform? = nil) async throws -> (ImageDetails, name: String) {
        let (details, name) = try await find(nameOrID)
        guard let platform else { return (details, name) }
        return (try await variant(of: details, for: platform, named: nameOrID), name)
    }

    private func find(_ nameOrID: String) async throws -> (ImageDetails, name: String) {
        if let reference = try Self.reference(nameOrID), let found = try await find(reference) { return found }
        if let image = try await findByID(nameOrID) { return (image.details, "") }
        throw Self.noSuchImage(nameOrID)
    }

    private func find(_ reference: ImageReference) async throws -> (ImageDetails, name: String)? {
        if let digest = reference.digest {
            let image = try await all().first { image in
                [image.details.target.digest.string, image.details.manifestDigest].contains(digest.string)
                    && image.names.contains {
                        $0.reference?.name == reference.name && ($0.wasPulled || $0.reference?.digest != nil)
                    }
            }
            return image.map { ($0.details, reference.name + "@" + digest.string) }
        }
        let name = reference.normalized
        do {
            let image = try await supervisor.image(name)
            return (try await loader.details(image.target), name)
        } catch let error as EngineError where error.kind == .notFound {
            return nil
        }
    }

    private func findByID(_ text: String) async throws -> LocalImage? {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        guard (1...64).contains(digits.utf8.count), digits.allSatisfy({ "0123456789abcdef".contains($0) }) else {
            return nil
        }
        let found = try await all().filter { $0.id.hasPrefix("sha256:" + digits) }
        return found.count == 1 ? found.first : nil
    }

    /// nil if the text can only be an ID.
    static func reference(_ text: String) throws(EngineError) -> ImageReference? {
        if isFullID(text) { return nil }
        do throws(ImageSpecError) {
            return try ImageReference(text)
        } catch {
            throw .invalidArgument(error.message)
        }
    }

    static func isFullID(_ text: String) -> Bool {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        return digits.utf8.count == 64 && digits.allSatisfy { "0123456789abcdef".contains($0) }
    }

    static func noSuchImage(_ nameOrID: String) -> EngineError {
        let shown = (try? ImageReference(nameOrID))?.taggedByDefault.familiar ?? nameOrID
        return .notFound("No such image: \(shown)")
    }

    /// Every image with its names; what cannot be read (a blob is missing) is left out with a warning.
    func all() async throws -> [LocalImage] {
        let messages = try await supervisor.images()
        loader.keepOnly(Set(messages.map(\.target.digest)))
        var images: [String: LocalImage] = [:]
        for message in messages {
            do {
                let details = try await loader.details(message.target)
                let name = LocalImage.Name(message)
                images[details.id, default: LocalImage(details: details, names: [])].names.append(name)
            } catch {
                logger.warning("unreadable image", metadata: ["image": "\(message.name)", "error": "\(error)"])
            }
        }
        for (id, image) in images where images[image.details.parent] != nil {
            images[id]?.parentID = image.details.parent
            images[image.details.parent]?.hasChildren = true
        }
        return images.values.sorted { ($1.details.created, $0.id) < ($0.details.created, $1.id) }
    }

    package func count() async throws -> Int { try await all().count }

    /// An event of an image; its labels are attributes, as with docker.
    func publish(_ action: String, _ details: ImageDetails, name: String? = nil) {
        let labels = details.labels.filter { $0.key != "name" }
        events.publish(
            type: .image, action: action, id: details.id, attributes: labels + [("name", name ?? details.id)])
    }
}

// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
package import DockerAPI
import LinuxSystem
package import OCISpec
import SwiftProtobuf
import Synchronization

/// The lines of a pull or an import as they come; it throws what ends it.
package typealias ProgressLines = AsyncThrowingStream<ProgressMessage, any Error>

extension ImageService {
    /// What `POST /images/create` names: `fromImage` and `tag`, which may also be a digest.
    package static func pullReference(image: String, tag: String) throws(EngineError) -> ImageReference {
        let separator = tag.isEmpty ? "" : tag.contains(":") ? "@" : ":"
        do throws(ImageSpecError) {
            return try ImageReference(image + separator + tag).taggedByDefault
        } catch {
            throw .invalidArgument(error.message)
        }
    }

    /// Pulls an image. The pull is cancelled when the lines are no longer read.
    package func pull(
        _ reference: ImageReference, platform: Platform?, credentials: RegistryCredentials
    ) -> ProgressLines {
        lines { [self] emit in try await pull(reference, platform, credentials, emit) }
    }

    /// Pulls images of one repository, one after the other: its tags.
    package func pull(
        all references: [ImageReference], platform: Platform?, credentials: RegistryCredentials
    ) -> ProgressLines {
        lines { [self] emit in
            let hasNews = Mutex(false)
            for reference in references {
                try await pull(reference, platform, credentials) { line in
                    // Only the end tells what became of the whole.
                    guard case .status(let text, nil) = line, text.hasPrefix("Status: ") else { return emit(line) }
                    if text.hasPrefix("Status: Downloaded") { hasNews.withLock { $0 = true } }
                }
            }
            let news = hasNews.withLock { $0 } ? "Downloaded newer image for " : "Image is up to date for "
            emit(.status("Status: " + news + (references.first?.familiarName ?? ""), id: nil))
        }
    }

    private func pull(
        _ reference: ImageReference, _ platform: Platform?, _ credentials: RegistryCredentials,
        _ emit: @escaping @Sendable (ProgressMessage) -> Void
    ) async throws {
        let present = try? await supervisor.image(reference.normalized)
        let known = present == nil ? try? await presentDigest(reference) : present?.target.digest
        let progress = Mutex(PullProgress(reference, present: known))
        do {
            try await supervisor.pull(
                reference.string, platform: (platform ?? .host).message, resolver: try resolver(for: reference.domain),
                credentials: credentials, labels: [LocalImage.Name.pulledLabel: "true"],
                limits: configuration.downloads
            ) { event in
                for line in progress.withLock({ $0.take(event, now: monotonicNanoseconds()) }) { emit(line) }
            }
        } catch {
            throw Self.pullError(error)
        }
        for line in progress.withLock({ $0.introduction() }) { emit(line) }
        let target = try await finishPull(reference, replaced: present?.target)
        for line in progress.withLock({ $0.end(digest: target) }) { emit(line) }
        try await finishEvent(reference, platform)
    }

    /// The digest that a reference by digest names, if an image of that repository has it.
    private func presentDigest(_ reference: ImageReference) async throws -> String? {
        guard let digest = reference.digest?.string else { return nil }
        return try await find(reference.string).0.target.digest.string == digest ? digest : nil
    }

    /// Publishes the event; an image for another platform than the one asked for is an error even now.
    private func finishEvent(_ reference: ImageReference, _ platform: Platform?) async throws {
        let name = reference.familiar
        let details = try await find(reference.string, platform: platform).0
        events.publish(
            type: .image, action: "pull", id: name,
            attributes: details.labels.filter { $0.key != "name" } + [("name", reference.familiarName)])
    }

    /// Keeps the image that had the name before; returns the digest that it points to now.
    private func finishPull(_ reference: ImageReference, replaced: DescriptorMessage?) async throws -> String {
        let image = try await supervisor.image(reference.normalized)
        loader.forget(image.target.digest)
        if let replaced { try await keepDangling(replaced, except: image.target.digest) }
        return image.target.digest
    }

    /// Runs `work` in a task of its own that ends with the stream: when its reader goes away, the task is cancelled.
    func lines(_ work: @escaping @Sendable (@escaping @Sendable (ProgressMessage) -> Void) async throws -> Void)
        -> ProgressLines
    {
        let (stream, continuation) = ProgressLines.makeStream()
        let task = Task {
            defer { Heap.release() }
            do {
                try await work { continuation.yield($0) }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { reason in
            if case .cancelled = reason { task.cancel() }
        }
        return stream
    }

    /// How to reach a registry: as the daemon's flags say, in a form that any supervisor understands.
    func resolver(for domain: String) throws(EngineError) -> Containerd_Types_Transfer_RegistryResolver {
        try RegistryHosts(configuration).prepare(domain)
        return .with { $0.hostDir = configuration.registryHostsDirectory.string }
    }

    /// The supervisor's texts are docker's; only two kinds have another status there.
    static func pullError(_ error: any Error) -> EngineError {
        let error = EngineError(error)
        switch error.kind {
        case .unauthenticated, .unavailable: return .internal(error.message)
        default: return error
        }
    }
}

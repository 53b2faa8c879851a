// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
package import OCISpec
import Synchronization

extension ImageService {
    /// Loads the images of a tar archive. The body is read as fast as the supervisor takes it.
    ///
    /// - Parameter platforms: of each image only what these name, all of which it must have; empty means all there is,
    ///   of which this machine's is unpacked.
    package func load(
        _ body: some AsyncSequence<[UInt8], any Error> & Sendable, platforms: [Platform] = []
    ) -> ProgressLines {
        lines { [self] emit in
            let saved = Mutex<[String]>([])
            let before = try await supervisor.images()
            let unpacked = platforms.isEmpty ? [.host] : platforms
            try await supervisor.importImages(
                platforms: platforms.map(\.message), unpacks: unpacked.map(\.message), body: body
            ) { event in
                if event.event == "saved" { saved.withLock { $0.append(event.name) } }
            }
            for name in saved.withLock({ $0 }) {
                let replaced = before.first { $0.name == name }
                try await report(name, replaced: replaced?.target, emit)
                try await check(name, platforms)
            }
        }
    }

    private func check(_ name: String, _ platforms: [Platform]) async throws {
        let details = try await loader.details(supervisor.image(name).target)
        for platform in platforms { _ = try await variant(of: details, for: platform, named: name) }
    }

    private func report(
        _ name: String, replaced: DescriptorMessage?, _ emit: (ProgressMessage) -> Void
    ) async throws {
        let image = try await supervisor.image(name)
        loader.forget(image.target.digest)
        let details = try await loader.details(image.target)
        if let replaced { try await keepDangling(replaced, except: image.target.digest) }
        if let reference = LocalImage.Name(image).reference {
            emit(.stream("Loaded image: \(reference.familiar)\n"))
        } else {
            emit(.stream("Loaded image ID: \(details.id)\n"))
        }
        publish("load", details)
    }
}

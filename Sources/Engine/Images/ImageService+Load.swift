// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import OCISpec
import Synchronization

extension ImageService {
    /// Loads the images of a tar archive. The body is read as fast as the supervisor takes it.
    package func load(_ body: some AsyncSequence<[UInt8], any Error> & Sendable) -> ProgressLines {
        lines { [self] emit in
            let saved = Mutex<[String]>([])
            let before = try await supervisor.images()
            try await supervisor.importImages(platform: Platform.host.message, body: body) { event in
                if event.event == "saved" { saved.withLock { $0.append(event.name) } }
            }
            for name in saved.withLock({ $0 }) {
                let replaced = before.first { $0.name == name }
                try await report(name, replaced: replaced?.target, emit)
            }
        }
    }

    private func report(
        _ name: String, replaced: DescriptorMessage?, _ emit: (ProgressMessage) -> Void
    ) async throws {
        let image = try await supervisor.image(name)
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

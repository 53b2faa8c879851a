// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Threads

extension ContainerService {
    /// Makes a new container's working directory if its image has none, as docker does: clients copy into it before the
    /// first start. In a user namespace the runtime makes it, with the namespace's owner.
    func makeWorkingDirectory(_ record: ContainerRecord) async throws {
        let path = FilePath("/" + record.config.workingDirectory).normalized.string
        guard path != "/", configuration.identities.isEmpty, let rootfs = record.rootfs.first else { return }
        let layers = ImageContent.layers(options: rootfs.options)
        if try await runOnThread({ ImageContent.exists(layers: layers, path: path) }) { return }
        let tree = try await ContainerTree.unused(
            ContainerTree.Parts(rootfs: rootfs, isReadOnly: false, mounts: [], place: directory(record.id)))
        try await runOnThread {
            do throws(SysError) { _ = try makeDirectoriesInRoot(tree.root, path) } catch {
                guard error.errno == .notDirectory else { throw error }
                throw EngineError.invalidArgument("Cannot mkdir: \(path) is not a directory")
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import LinuxSystem

// Images as mounts (`--mount type=image`): for each a snapshot of its own on the image's layers, read-only, which keeps
// them for as long as the container exists, whatever becomes of the image's names.
extension ContainerService {
    /// Finds the images and makes their snapshots, at a container's creation.
    func useImages(_ record: inout ContainerRecord) async throws {
        for index in record.mounts.indices where record.mounts[index].kind == .image {
            let mount = record.mounts[index]
            // That of another container (`--volumes-from`) has found its image already.
            let image = try await images.resolve(mount.imageID.isEmpty ? mount.name : mount.imageID)
            let view = try await supervisor.viewSnapshot(
                ImageMountKey.make(record.id, index), parent: image.chainID)
            record.mounts[index].imageID = image.id
            record.mounts[index].source = stagedMount(record.id, index).string
            record.mounts[index].layers = view.first.map {
                RootMount(type: $0.type, source: $0.source, options: $0.options)
            }
        }
    }

    /// Gives the snapshots back; those that are gone, or were never made, are fine.
    func releaseImages(_ record: ContainerRecord) async throws {
        for index in record.mounts.indices where record.mounts[index].kind == .image {
            try await ignoringMissing { try await supervisor.removeSnapshot(ImageMountKey.make(record.id, index)) }
        }
    }
}

/// The snapshot of an image that a container has mounted: `<container>-image-<number of the mount>`.
enum ImageMountKey {
    private static let infix = "-image-"

    static func make(_ container: String, _ index: Int) -> String { container + infix + String(index) }

    /// The container that such a snapshot belongs to; nil if it is none.
    static func container(of key: String) -> String? {
        let id = key.prefix(64)
        return id.utf8.count == 64 && key.dropFirst(64).hasPrefix(infix) ? String(id) : nil
    }
}

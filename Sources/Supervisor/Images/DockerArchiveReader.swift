// SPDX-License-Identifier: Apache-2.0
import Archive
import ContentStore
import JSON
import LinuxSystem
import OCISpec
import Tar

/// Reads the archive that `docker save` made before version 25: manifest.json names a config file and layer files for
/// each image. A schema 2 manifest is made for it, always the same for the same files.
struct DockerArchiveReader {
    let files: ArchiveFiles

    func readAll() throws -> [ArchivedImage] {
        let bytes = try files.read("manifest.json", limit: ImageDocument.maximumBytes)
        return try DockerArchiveEntry.parse(bytes).map { try read($0) }
    }

    private func read(_ entry: DockerArchiveEntry) throws -> ArchivedImage {
        let config = try ImageConfig(parsing: try files.read(entry.config, limit: ImageConfig.maximumBytes))
        guard config.diffIDs.count == entry.layers.count else {
            throw ArchiveError("image has \(entry.layers.count) layers but its config names \(config.diffIDs.count)")
        }
        let (digest, size) = try files.store(entry.config)
        let layers = try zip(entry.layers, config.diffIDs).map { try storeLayer($0, diffID: $1) }
        let manifest = Manifest(
            mediaType: MediaType.dockerManifest,
            config: Descriptor(mediaType: MediaType.dockerConfig, digest: digest, size: size), layers: layers)
        let target = try files.storeManifest(manifest, bytes: manifest.json.bytes(), mediaType: manifest.mediaType)
        return ArchivedImage(names: entry.names.map(\.normalized), target: target, manifests: [(target, manifest)])
    }

    /// An uncompressed layer is its own diffID, so that a wrong one is found before it is unpacked.
    private func storeLayer(_ name: String, diffID: Digest) throws -> Descriptor {
        let compression = Compression(magic: try files.magic(name))
        let (digest, size) = try files.store(name, expected: compression == .none ? diffID : nil)
        let mediaType =
            switch compression {
            case .none: MediaType.dockerLayer
            case .gzip: MediaType.dockerLayerGzip
            case .zstd: MediaType.ociLayerZstd
            }
        return Descriptor(mediaType: mediaType, digest: digest, size: size)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Archive
import ContentStore
import JSON
import LinuxSystem
package import Metadata
package import OCISpec
import Tar
import Threads

/// What to do with the images of an archive.
package struct ImportRequest: Sendable {
    package var namespace: String
    /// Which image of an index is unpacked.
    package var platform: Platform
    package var labels: Labels
    package var unpacks: Bool

    package init(namespace: String, platform: Platform = .host, labels: Labels = [:], unpacks: Bool = true) {
        self.namespace = namespace
        self.platform = platform
        self.labels = labels
        self.unpacks = unpacks
    }
}

/// Loads images from an archive: `docker save`'s form with manifest.json, or a tar of an OCI image layout; compressed
/// with gzip or zstd, or not at all. The archive is spooled to disk first, since its index may stand at its end.
package struct ImageImporter: Sendable {
    private let services: ImageServices

    package init(_ services: ImageServices) { self.services = services }

    /// Loads all images of `archive` and unpacks them; reports each with a `saved` event. An image without a name gets
    /// a record under `ImageStore.danglingName`.
    package func load<Bytes: AsyncSequence>(
        _ request: ImportRequest, from archive: Bytes, progress: @escaping ImageProgressHandler
    ) async throws -> [ImageRecord] where Bytes.Element == [UInt8] {
        let spool = try await spool(archive)
        return try await services.gate.transfer(request.namespace) { try await load(request, spool, progress) }
    }

    private func load(
        _ request: ImportRequest, _ spool: SpoolFile, _ progress: @escaping ImageProgressHandler
    ) async throws -> [ImageRecord] {
        let services = services
        do {
            let found = try await services.pool.run {
                try ArchiveReader(services: services, namespace: request.namespace, spool: spool).readAll()
            }
            var records: [ImageRecord] = []
            for image in found {
                if request.unpacks { try await unpack(image, request, progress) }
                records += try await save(image, request, progress)
            }
            return records
        } catch let error as ArchiveError {
            throw ServiceError(.invalidArgument, "invalid image archive: " + error.message)
        } catch let error as ImageSpecError {
            throw ServiceError(.invalidArgument, "invalid image archive: " + error.message)
        }
    }

    /// The archive as a plain tar file on disk.
    private func spool<Bytes: AsyncSequence>(_ archive: Bytes) async throws -> SpoolFile
    where Bytes.Element == [UInt8] {
        let directory = services.content.root / "tmp"
        let pool = services.pool
        let file = try await pool.run {
            try makeDirectory(directory, mode: 0o700)
            return try SpoolFile(directory: directory)
        }
        for try await piece in archive { try await pool.run { try file.append(piece) } }
        return try await pool.run {
            let magic = try file.source.read(upTo: 6)
            if magic.starts(with: Array("BZh".utf8)) || magic == [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0] {
                throw ServiceError(.unimplemented, "image archives compressed with bzip2 or xz are not supported")
            }
            if Compression(magic: magic) == .none { return file }
            let plain = try SpoolFile(directory: directory)
            try plain.append(try decompressed(file.source))
            return plain
        }
    }

    private func unpack(
        _ image: ArchivedImage, _ request: ImportRequest, _ progress: @escaping ImageProgressHandler
    ) async throws {
        guard let manifest = image.manifest(for: request.platform) else { return }
        let (services, namespace) = (services, request.namespace)
        let config = try await services.pool.run {
            try ImageConfig(
                parsing: try services.content.read(
                    namespace, manifest.config.digest, limit: ImageConfig.maximumBytes))
        }
        try await ImageUnpacker(services: services, namespace: namespace, progress: progress)
            .unpack(manifest, config) { _ in }
    }

    private func save(
        _ image: ArchivedImage, _ request: ImportRequest, _ progress: ImageProgressHandler
    ) async throws -> [ImageRecord] {
        let names = image.names.isEmpty ? [ImageStore.danglingName(image.target.digest)] : image.names
        var records: [ImageRecord] = []
        for name in names {
            let record = ImageRecord(name: name, target: image.target, labels: request.labels)
            let (services, namespace) = (services, request.namespace)
            records.append(try await services.pool.run { try services.images.put(namespace, record) })
            progress(.init(.saved, name, descriptor: image.target))
        }
        return records
    }
}

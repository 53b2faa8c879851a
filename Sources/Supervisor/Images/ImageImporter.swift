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
/// with gzip or zstd, or not at all. It is read once, as it arrives: its index may stand at its end, so that layers are
/// stored before it is known which image they belong to.
package struct ImageImporter: Sendable {
    private let services: ImageServices

    package init(_ services: ImageServices) { self.services = services }

    /// Loads all images of `archive` and unpacks them; reports each with a `saved` event. An image without a name gets
    /// a record under `ImageStore.danglingName`.
    package func load<Bytes: AsyncSequence>(
        _ request: ImportRequest, from archive: Bytes, progress: @escaping ImageProgressHandler
    ) async throws -> [ImageRecord] where Bytes.Element == [UInt8] {
        do {
            let intake = try await take(archive, request.namespace)
            let result: Result<[ImageRecord], any Error>
            do { result = .success(try await load(request, intake, progress)) } catch { result = .failure(error) }
            try await services.pool.run { try intake.end() }
            return try result.get()
        } catch let error as ArchiveError {
            throw ServiceError(.invalidArgument, "invalid image archive: " + error.message)
        } catch let error as ImageSpecError {
            throw ServiceError(.invalidArgument, "invalid image archive: " + error.message)
        }
    }

    /// Feeds the archive to a thread that takes it in. That is none of the pool's, since a slow client would keep it.
    private func take<Bytes: AsyncSequence>(
        _ archive: Bytes, _ namespace: String
    ) async throws -> ArchiveIntake where Bytes.Element == [UInt8] {
        let queue = BlockingQueue<[UInt8]>(capacity: 8)
        let services = services
        async let intake = runOnThread {
            defer { queue.close() }
            return try ArchiveIntake.read(PieceSource { try queue.next() }, services, namespace)
        }
        do {
            for try await piece in archive { guard await queue.send(piece) else { break } }
            try Task.checkCancellation()  // which ends the stream without an error
            queue.finish()
        } catch {
            queue.finish(throwing: error)
        }
        return try await intake
    }

    private func load(
        _ request: ImportRequest, _ intake: ArchiveIntake, _ progress: @escaping ImageProgressHandler
    ) async throws -> [ImageRecord] {
        let services = services
        return try await services.gate.transfer(request.namespace) {
            let reader = ArchiveReader(services: services, namespace: request.namespace, intake: intake)
            var records: [ImageRecord] = []
            for image in try await services.pool.run({ try reader.readAll() }) {
                if request.unpacks { try await unpack(image, request, progress) }
                records += try await save(image, request, progress)
            }
            return records
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

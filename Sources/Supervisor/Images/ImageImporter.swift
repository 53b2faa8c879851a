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
    /// Which images of an index are taken; empty takes all.
    package var platforms: [Platform] = []
    /// Which images of an index are unpacked.
    package var unpacked: [Platform]
    package var labels: Labels
    /// A name for all of the archive: a record that points to an index of its images. Nil makes none.
    package var indexName: String?
    /// How images are named; empty takes the archive's names as they are.
    package var naming: [ImportNaming] = []

    package init(namespace: String, unpacked: [Platform] = [.host], labels: Labels = [:]) {
        self.namespace = namespace
        self.unpacked = unpacked
        self.labels = labels
    }
}

/// A rule for the names of imported images, `ImageStore.extra_references` of containerd's transfer service.
package struct ImportNaming: Sendable {
    package var name: String
    /// `name` is the start of names, and stands before mere tags; otherwise it is the image's name.
    package var isPrefix: Bool
    /// Names that do not begin with the prefix are taken, too.
    package var takesOthers: Bool
    /// Adds `name@digest`.
    package var addsDigest: Bool
    /// ... only for images without another name.
    package var skipsDigestOfNamed: Bool

    package init(
        name: String, isPrefix: Bool = false, takesOthers: Bool = false, addsDigest: Bool = false,
        skipsDigestOfNamed: Bool = false
    ) {
        self.name = name
        self.isPrefix = isPrefix
        self.takesOthers = takesOthers
        self.addsDigest = addsDigest
        self.skipsDigestOfNamed = skipsDigestOfNamed
    }

    /// The names of an image by this rule.
    func names(of image: ArchivedImage) -> [String] {
        guard isPrefix else { return [name] }
        var names = image.names.filter { takesOthers || $0.hasPrefix(name) }
        names += image.tags.map { "\(name):\($0)" }
        if addsDigest, names.isEmpty || !skipsDigestOfNamed { names.append("\(name)@\(image.target.digest)") }
        return names
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
        let services = services
        return try await onThread(with: archive, capacity: 8) { next in
            try ArchiveIntake.read(PieceSource(next), services, namespace)
        }
    }

    private func load(
        _ request: ImportRequest, _ intake: ArchiveIntake, _ progress: @escaping ImageProgressHandler
    ) async throws -> [ImageRecord] {
        let services = services
        progress(.step(.importing))
        return try await services.gate.transfer(request.namespace) {
            let reader = ArchiveReader(
                services: services, namespace: request.namespace, intake: intake, platforms: request.platforms)
            var records: [ImageRecord] = []
            let images = try await services.pool.run { try reader.readAll() }
            if let name = request.indexName {
                records.append(try await save(index: reader, of: images, as: name, request, progress))
            }
            for image in images {
                for platform in request.unpacked { try await unpack(image, platform, request, progress) }
                records += try await save(image, request, progress)
            }
            progress(.step(.imported))
            return records
        }
    }

    private func unpack(
        _ image: ArchivedImage, _ platform: Platform, _ request: ImportRequest,
        _ progress: @escaping ImageProgressHandler
    ) async throws {
        guard let manifest = image.manifest(for: platform) else { return }
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
        var records: [ImageRecord] = []
        for name in Self.names(of: image, request) {
            records.append(try await save(image.target, as: name, request, progress))
        }
        return records
    }

    private func save(
        _ target: Descriptor, as name: String, _ request: ImportRequest, _ progress: ImageProgressHandler
    ) async throws -> ImageRecord {
        let record = ImageRecord(name: name, target: target, labels: request.labels)
        let (services, namespace) = (services, request.namespace)
        let stored = try await services.pool.run { try services.images.put(namespace, record, keepsLabels: true) }
        progress(.init(.saved, name, descriptor: target))
        return stored
    }

    /// The archive's own index, or one that is made of its images.
    private func save(
        index reader: ArchiveReader, of images: [ArchivedImage], as name: String, _ request: ImportRequest,
        _ progress: ImageProgressHandler
    ) async throws -> ImageRecord {
        let target = try await services.pool.run { try reader.storeIndex(of: images.map(\.target)) }
        return try await save(target, as: name, request, progress)
    }

    private static func names(of image: ArchivedImage, _ request: ImportRequest) -> [String] {
        guard request.naming.isEmpty else {
            var names: [String] = []
            for name in request.naming.flatMap({ $0.names(of: image) }) where !names.contains(name) {
                names.append(name)
            }
            return names
        }
        return image.names.isEmpty ? [ImageStore.danglingName(image.target.digest)] : image.names
    }
}

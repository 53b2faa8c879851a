// SPDX-License-Identifier: Apache-2.0
import Archive
import ContentStore
import JSON
import LinuxSystem
package import OCISpec
import Tar
import Threads

/// Which images go into an archive, and how much of them.
package struct ExportRequest: Sendable {
    package var namespace: String
    /// Names of image records.
    package var names: [String]
    /// The platforms that are taken of an index; empty takes all of it, and fails if something is not here.
    package var platforms: [Platform]
    /// Adds docker's manifest.json, so that `docker load` of any age reads the archive.
    package var hasDockerManifest: Bool

    package init(namespace: String, names: [String], platforms: [Platform] = [], hasDockerManifest: Bool = true) {
        self.namespace = namespace
        self.names = names
        self.platforms = platforms
        self.hasDockerManifest = hasDockerManifest
    }
}

/// Writes images as a tar of an OCI image layout (image-spec image-layout.md), the way back of `ImageImporter`. Times
/// and owners are zero: the same images give the same bytes.
package struct ImageExporter: Sendable {
    private let services: ImageServices

    private static let pieceBytes = 256 << 10

    package init(_ services: ImageServices) { self.services = services }

    /// Writes the archive piece by piece. Nothing is collected meanwhile.
    ///
    /// - Throws: `ServiceError` of kind `notFound` for an unknown name or a blob that is not here; what `write` throws.
    package func export(
        _ request: ExportRequest, to write: @escaping @Sendable ([UInt8]) async throws -> Void,
        progress: @escaping ImageProgressHandler
    ) async throws {
        progress(.step(.exporting))
        let services = services
        try await services.gate.transfer(request.namespace) {
            let contents = try await services.pool.run {
                try ExportPlanner(content: services.content, images: services.images, request: request).plan()
            }
            for directory in ["blobs", "blobs/sha256"] { try await write(TarWriter.directory(directory)) }
            for blob in contents.blobs { try await self.write(blob, request.namespace, to: write) }
            for (name, document) in contents.documents {
                try await write(TarWriter.file(name, document.bytes()))
            }
            try await write(TarWriter.end)
        }
        progress(.step(.exported))
    }

    private func write(
        _ digest: Digest, _ namespace: String, to write: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let services = services
        let (reader, size) = try await services.pool.run {
            (try services.content.reader(namespace, digest), try services.content.info(namespace, digest).size)
        }
        try await write(TarWriter.fileHeader(digest.layoutPath, size: size))
        var offset: Int64 = 0
        while offset < size {
            let position = offset
            let piece = try await services.pool.run { try reader.read(at: position, count: Self.pieceBytes) }
            guard !piece.isEmpty else { throw ServiceError(.internal, "content \(digest) is shorter than its record") }
            try await write(piece)
            offset += Int64(piece.count)
        }
        try await write(TarWriter.padding(size))
    }
}

/// What an archive consists of.
private struct ExportContents {
    /// Each once, in the order in which the images need them.
    var blobs: [Digest] = []
    /// The files beside the blobs.
    var documents: [(String, JSONValue)] = []
}

/// Reads what the images consist of. Calls block.
private struct ExportPlanner {
    let content: ContentStore
    let images: ImageStore
    let request: ExportRequest

    private static let maximumDepth = 4

    func plan() throws -> ExportContents {
        var contents = ExportContents()
        var entries: [JSONValue] = []
        var dockerEntries: [DockerArchiveEntry] = []
        for name in request.names {
            let record = try images.get(request.namespace, name)
            let manifests = try collect(record.target, into: &contents.blobs, depth: 0)
            entries.append(entry(record))
            let platforms = manifests.map { $0.descriptor.isAttestation ? nil : $0.descriptor.platform }
            if let best = manifests.count == 1 ? 0 : Platform.host.best(among: platforms) {
                add(manifests[best].manifest, name, to: &dockerEntries)
            }
        }
        contents.documents = [
            (
                "index.json",
                ["schemaVersion": 2, "mediaType": .string(MediaType.ociIndex), "manifests": .array(entries)]
            )
        ]
        if request.hasDockerManifest, !dockerEntries.isEmpty {
            contents.documents.append(("manifest.json", .array(dockerEntries.map(\.json))))
        }
        contents.documents.append(("oci-layout", ["imageLayoutVersion": "1.0.0"]))
        return contents
    }

    /// An entry of index.json.
    private func entry(_ record: ImageRecord) -> JSONValue {
        var target = record.target
        target.annotations["io.containerd.image.name"] = record.name
        if let tag = (try? ImageReference(record.name))?.tag {
            target.annotations["org.opencontainers.image.ref.name"] = tag
        }
        return target.json
    }

    /// Several names of one image share an entry of manifest.json.
    private func add(_ manifest: Manifest, _ name: String, to entries: inout [DockerArchiveEntry]) {
        let reference = (try? ImageReference(name)).flatMap { $0.tag == nil ? nil : $0 }
        let entry = DockerArchiveEntry(
            config: manifest.config.digest, names: reference.map { [$0] } ?? [], layers: manifest.layers)
        if let known = entries.firstIndex(where: { $0.config == entry.config }) {
            entries[known].names += entry.names
        } else {
            entries.append(entry)
        }
    }

    /// Adds the blobs of a manifest or an index; returns the manifests that were taken.
    private func collect(
        _ descriptor: Descriptor, into blobs: inout [Digest], depth: Int
    ) throws -> [(descriptor: Descriptor, manifest: Manifest)] {
        guard depth < Self.maximumDepth else { throw ServiceError(.invalidArgument, "index is nested too deeply") }
        let bytes = try content.read(request.namespace, descriptor.digest, limit: ImageDocument.maximumBytes)
        add(descriptor.digest, to: &blobs)
        switch try ImageDocument(parsing: bytes, mediaType: descriptor.mediaType) {
        case .manifest(let manifest):
            for blob in [manifest.config] + manifest.layers
            where !MediaType.isForeign(blob.mediaType) || blob.urls.isEmpty {
                _ = try content.info(request.namespace, blob.digest)
                add(blob.digest, to: &blobs)
            }
            return [(descriptor, manifest)]
        case .index(let index):
            let wanted = try selected(index, of: descriptor)
            return try wanted.flatMap { try collect($0, into: &blobs, depth: depth + 1) }
        }
    }

    private func selected(_ index: Index, of descriptor: Descriptor) throws -> [Descriptor] {
        guard !request.platforms.isEmpty else { return index.manifests }
        var wanted: [Descriptor] = []
        for platform in request.platforms {
            guard let found = index.manifest(for: platform) else {
                throw ServiceError(
                    .notFound, "no manifest of \(descriptor.digest) for platform \(platform.dockerString): not found")
            }
            if !wanted.contains(where: { $0.digest == found.digest }) { wanted.append(found) }
        }
        return wanted
    }

    private func add(_ digest: Digest, to blobs: inout [Digest]) {
        if !blobs.contains(digest) { blobs.append(digest) }
    }
}

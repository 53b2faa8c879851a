// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import JSON
import LinuxSystem
package import OCISpec
import Tar

/// An image and the names that go into an archive with it.
package struct SavedImage: Sendable {
    /// One for each platform, at least one.
    var variants: [ImageDetails]
    var names: [ImageReference]

    /// What docker's own form, which knows no platforms, has of it: this machine's.
    var main: ImageDetails { variants[Platform.host.best(among: variants.map(\.config.platform)) ?? 0] }
}

extension ImageService {
    /// The images that `docker save` names: a tag, all tags of a repository, or an ID, which saves no name.
    ///
    /// - Parameter platforms: of each image only what these name; empty means all that is here.
    package func imagesToSave(_ names: [String], platforms: [Platform] = []) async throws -> [SavedImage] {
        var saved: [SavedImage] = []
        for name in names {
            for (image, references) in try await self.saved(name) {
                let variants = try await variants(of: image, for: platforms, named: name)
                if let index = saved.firstIndex(where: { $0.variants == variants }) {
                    saved[index].names += references.filter { !saved[index].names.contains($0) }
                } else {
                    saved.append(SavedImage(variants: variants, names: references))
                }
            }
        }
        return saved
    }

    private func saved(_ name: String) async throws -> [(ImageDetails, [ImageReference])] {
        if let reference = try Self.reference(name), reference.tag == nil, reference.digest == nil {
            let found = try await all().compactMap { image -> (ImageDetails, [ImageReference])? in
                let tags = image.tagged.filter { $0.name == reference.name }
                return tags.isEmpty ? nil : (image.details, tags)
            }
            if !found.isEmpty { return found }
        }
        let (details, fullName): (ImageDetails, String)
        do { (details, fullName) = try await find(name) } catch let error as EngineError {
            throw error.kind == .notFound ? EngineError.notFound("No such image: \(name)") : error  // as it was written
        }
        let reference = fullName.isEmpty ? nil : try ImageReference(fullName)
        return [(details, reference.map { $0.tag == nil ? [] : [$0] } ?? [])]
    }

    /// Writes a tar archive that is both an OCI image layout and docker's own form.
    package func save(
        _ images: [SavedImage], to write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        defer { Heap.release() }
        for directory in ["blobs", "blobs/sha256"] { try await write(TarWriter.directory(directory)) }
        var written: Set<String> = []
        func writeDocument(_ document: LayoutDocument) async throws {
            guard written.insert(document.digest).inserted else { return }
            try await write(TarWriter.file(try Self.path(document.digest), document.bytes))
        }
        var entries: [JSONValue] = []
        for image in images {
            var documents: [LayoutDocument] = []
            for variant in image.variants {
                let stored = try await supervisor.readContent(variant.manifestDigest)
                let document = try LayoutDocument(converting: stored, platform: variant.config.platform)
                documents.append(document)
                try await writeDocument(document)
                for digest in [variant.id] + variant.layers.map(\.digest.string)
                where written.insert(digest).inserted {
                    try await writeBlob(digest, to: write)
                }
            }
            var whole = documents[0]
            if documents.count > 1 {
                let stored = try await supervisor.readContent(image.variants[0].target.digest.string)
                whole = LayoutDocument(indexOf: documents, stored: stored)
                try await writeDocument(whole)
            }
            entries += Self.entries(whole.descriptor, image.names)
        }
        for (name, document) in [
            ("index.json", LayoutDocument.index(of: entries)),
            ("manifest.json", .array(try images.map { try Self.manifest($0) })),
            ("oci-layout", ["imageLayoutVersion": "1.0.0"]),
        ] as [(String, JSONValue)] {
            try await write(TarWriter.file(name, document.bytes()))
        }
        try await write(TarWriter.end)
        for image in images { publish("save", image.main) }
    }

    private func writeBlob(
        _ digest: String, to write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let size = try await supervisor.contentInfo(digest).size
        try await write(TarWriter.fileHeader(try Self.path(digest), size: size))
        try await supervisor.streamContent(digest, size: size, to: write)
        try await write(TarWriter.padding(size))
    }

    private static func path(_ digest: String) throws -> String { try Digest(digest).layoutPath }

    /// An image's entries in index.json: one for each name, or one without a name.
    private static func entries(_ descriptor: JSONValue, _ names: [ImageReference]) -> [JSONValue] {
        guard !names.isEmpty else { return [descriptor] }
        return names.map { name in
            var entry = descriptor
            entry.set(
                "annotations",
                [
                    "io.containerd.image.name": .string(name.string),
                    "org.opencontainers.image.ref.name": .string(name.tag ?? ""),
                ])
            return entry
        }
    }

    private static func manifest(_ image: SavedImage) throws -> JSONValue {
        DockerArchiveEntry(config: try Digest(image.main.id), names: image.names, layers: image.main.layers).json
    }
}

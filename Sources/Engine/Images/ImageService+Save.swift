// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import JSON
import LinuxSystem
import OCISpec
import Tar

/// An image and the names that go into an archive with it.
package struct SavedImage: Sendable {
    var details: ImageDetails
    var names: [ImageReference]
}

extension ImageService {
    /// The images that `docker save` names: a tag, all tags of a repository, or an ID, which saves no name.
    package func imagesToSave(_ names: [String]) async throws -> [SavedImage] {
        var saved: [SavedImage] = []
        for name in names {
            for (image, references) in try await self.saved(name) {
                if let index = saved.firstIndex(where: { $0.details.id == image.id }) {
                    saved[index].names += references.filter { !saved[index].names.contains($0) }
                } else {
                    saved.append(SavedImage(details: image, names: references))
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
        var documents: [LayoutManifest] = []
        for image in images {
            let stored = try await supervisor.readContent(image.details.manifestDigest)
            let document = try LayoutManifest(converting: stored)
            documents.append(document)
            if written.insert(document.digest).inserted {
                try await write(TarWriter.file(try Self.path(document.digest), document.bytes))
            }
            for digest in [image.details.id] + image.details.layers.map(\.digest.string)
            where written.insert(digest).inserted {
                try await writeBlob(digest, to: write)
            }
        }
        for (name, document) in [
            ("index.json", index(images, documents)), ("manifest.json", try manifests(images)),
            ("oci-layout", ["imageLayoutVersion": "1.0.0"]),
        ] as [(String, JSONValue)] {
            try await write(TarWriter.file(name, document.bytes()))
        }
        try await write(TarWriter.end)
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

    private func index(_ images: [SavedImage], _ documents: [LayoutManifest]) -> JSONValue {
        var entries: [JSONValue] = []
        for (image, document) in zip(images, documents) {
            let descriptor: JSONValue = [
                "mediaType": .string(MediaType.ociManifest), "digest": .string(document.digest),
                "size": .int(Int64(document.bytes.count)), "platform": image.details.config.platform.json,
            ]
            for name in image.names {
                var entry = descriptor
                entry.set(
                    "annotations",
                    [
                        "io.containerd.image.name": .string(name.string),
                        "org.opencontainers.image.ref.name": .string(name.tag ?? ""),
                    ])
                entries.append(entry)
            }
            if image.names.isEmpty { entries.append(descriptor) }
        }
        return ["schemaVersion": 2, "mediaType": .string(MediaType.ociIndex), "manifests": .array(entries)]
    }

    private func manifests(_ images: [SavedImage]) throws -> JSONValue {
        .array(
            try images.map { image in
                [
                    "Config": .string(try Self.path(image.details.id)),
                    "RepoTags": image.names.isEmpty ? .null : .strings(image.names.map(\.familiar)),
                    "Layers": .strings(image.details.layers.map { $0.digest.layoutPath }),
                ]
            })
    }
}

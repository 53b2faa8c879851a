// SPDX-License-Identifier: Apache-2.0
import Archive
import ContentStore
import JSON
import LinuxSystem
import OCISpec
import Tar

/// Reads an OCI image layout (image-spec image-layout.md): `index.json` names images, `blobs/` has everything by
/// digest.
struct LayoutReader {
    let files: ArchiveFiles
    /// Which images of an index are taken; empty takes all.
    let platforms: [Platform]

    private static let maximumDepth = 4

    func readAll() throws -> [ArchivedImage] {
        let bytes = try files.read("index.json", limit: ImageDocument.maximumBytes)
        guard case .index(let index) = try ImageDocument(parsing: bytes, mediaType: MediaType.ociIndex) else {
            throw ArchiveError("index.json is no image index")
        }
        var images: [ArchivedImage] = []
        for descriptor in index.manifests {
            var manifests: [(descriptor: Descriptor, manifest: Manifest)] = []
            guard try store(descriptor, depth: 0, into: &manifests) else {
                throw ArchiveError("blob \(descriptor.digest) is missing")
            }
            guard platforms.isEmpty || !manifests.isEmpty else {
                let wanted = platforms.map(\.dockerString).joined(separator: ", ")
                throw ServiceError(.notFound, "image \(descriptor.digest) of the archive is not there for \(wanted)")
            }
            var target = descriptor
            target.annotations = Annotations()
            add(name(of: descriptor), tag(of: descriptor), target, manifests, to: &images)
        }
        return images
    }

    /// The same image under several names is one image.
    private func add(
        _ name: String?, _ tag: String?, _ target: Descriptor,
        _ manifests: [(descriptor: Descriptor, manifest: Manifest)], to images: inout [ArchivedImage]
    ) {
        if let known = images.firstIndex(where: { $0.target.digest == target.digest }) {
            if let name { images[known].names.append(name) }
            if let tag { images[known].tags.append(tag) }
        } else {
            images.append(
                ArchivedImage(
                    names: name.map { [$0] } ?? [], tags: tag.map { [$0] } ?? [], target: target, manifests: manifests))
        }
    }

    /// The reference in the annotations that containerd, skopeo and podman write. A mere tag names nothing.
    private func name(of descriptor: Descriptor) -> String? {
        if let full = descriptor.annotations["io.containerd.image.name"], let reference = try? ImageReference(full) {
            return reference.normalized
        }
        guard let short = descriptor.annotations["org.opencontainers.image.ref.name"],
            short.contains(":") || short.contains("/"), let reference = try? ImageReference(short)
        else { return nil }
        return reference.normalized
    }

    /// The reference name, if that is a mere tag and no other name is given.
    private func tag(of descriptor: Descriptor) -> String? {
        guard name(of: descriptor) == nil else { return nil }
        return descriptor.annotations["org.opencontainers.image.ref.name"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Stores a manifest or index with all it refers to; false if it is not in the archive, which is fine for the other
    /// platforms of an index.
    private func store(
        _ descriptor: Descriptor, depth: Int, into manifests: inout [(descriptor: Descriptor, manifest: Manifest)]
    ) throws -> Bool {
        guard depth < Self.maximumDepth else { throw ArchiveError("image indexes are nested too deeply") }
        let path = descriptor.digest.layoutPath
        guard files.contains(path) else { return false }
        let bytes = try files.read(path, limit: ImageDocument.maximumBytes)
        switch try ImageDocument(parsing: bytes, mediaType: descriptor.mediaType) {
        case .manifest(let manifest):
            for blob in [manifest.config] + manifest.layers { try store(blob: blob) }
            _ = try files.store(path, expected: descriptor.digest)
            try files.label(manifest, descriptor.digest)
            manifests.append((descriptor, manifest))
        case .index(let index):
            var labels: [String: String] = [:]
            for child in index.manifests where isWanted(child) {
                guard try store(child, depth: depth + 1, into: &manifests) else { continue }
                labels["containerd.io/gc.ref.content.m.\(labels.count)"] = child.digest.string
            }
            _ = try files.store(path, expected: descriptor.digest, labels: labels)
        }
        return true
    }

    private func isWanted(_ child: Descriptor) -> Bool {
        guard !platforms.isEmpty, let platform = child.platform else { return true }
        return platforms.contains { $0.rank(platform) != nil }
    }

    /// A blob may be missing from the archive if it is in the store already.
    private func store(blob: Descriptor) throws {
        if try files.services.content.adopt(files.namespace, blob.digest) { return }
        let (_, size) = try files.store(blob.digest.layoutPath, expected: blob.digest)
        guard size == blob.size else { throw ArchiveError("blob \(blob.digest) has \(size) bytes, not \(blob.size)") }
    }

}

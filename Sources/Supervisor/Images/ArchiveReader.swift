// SPDX-License-Identifier: Apache-2.0
import Archive
import ContentStore
import LinuxSystem
import OCISpec
import Tar

/// An image that an archive brought into the content store.
struct ArchivedImage: Sendable {
    /// Full references; empty if the archive gives the image no name.
    var names: [String]
    var target: Descriptor
    /// All manifests that came with it, with their platforms as far as known.
    var manifests: [(descriptor: Descriptor, manifest: Manifest)]

    /// The one to unpack: the platform's, or the only one.
    func manifest(for platform: Platform) -> Manifest? {
        if manifests.count == 1 { return manifests[0].manifest }
        let platforms = manifests.map { $0.descriptor.isAttestation ? nil : $0.descriptor.platform }
        return platform.best(among: platforms).map { manifests[$0].manifest }
    }
}

/// Reads images out of a spooled archive into the content store. Blocks.
struct ArchiveReader {
    let services: ImageServices
    let namespace: String
    let spool: SpoolFile

    /// All images of the archive, their content stored and verified. A layout is preferred to a manifest.json beside
    /// it, since it has the image's own manifest.
    func readAll() throws -> [ArchivedImage] {
        let index = try TarIndex(spool)
        let files = ArchiveFiles(services: services, namespace: namespace, spool: spool, index: index)
        let images: [ArchivedImage]
        if index["oci-layout"] != nil, index["index.json"] != nil {
            images = try LayoutReader(files: files).readAll()
        } else if index["manifest.json"] != nil {
            images = try DockerArchiveReader(files: files).readAll()
        } else {
            throw ArchiveError("neither manifest.json nor an OCI layout in it")
        }
        return images
    }
}

/// The files of the archive, and the way from there into the content store.
struct ArchiveFiles {
    let services: ImageServices
    let namespace: String
    let spool: SpoolFile
    let index: TarIndex

    /// A small file as a whole.
    func read(_ name: String, limit: Int) throws -> [UInt8] {
        guard let range = index[name] else { throw ArchiveError("file \(name) is missing") }
        guard range.upperBound - range.lowerBound <= limit else { throw ArchiveError("file \(name) is too large") }
        var bytes: [UInt8] = []
        let source = spool.source(range)
        while true {
            let piece = try source.read(upTo: 1 << 16)
            if piece.isEmpty { break }
            bytes += piece
        }
        return bytes
    }

    /// Stores a file as a blob; `expected` is verified, if given.
    func store(_ name: String, expected: Digest? = nil, labels: [String: String] = [:]) throws -> (Digest, Int64) {
        guard let range = index[name] else { throw ArchiveError("file \(name) is missing") }
        let size = range.upperBound - range.lowerBound
        if let expected, try services.content.adopt(namespace, expected, labels: labels) { return (expected, size) }
        let ref = "import-\(monotonicNanoseconds())-\(name)"
        let writer = try services.content.writer(namespace, ref: ref, total: size)
        do { return (try copy(range, into: writer, expected, labels), size) } catch {
            writer.discard()
            throw error
        }
    }

    private func copy(
        _ range: Range<Int64>, into writer: ContentWriter, _ expected: Digest?, _ labels: [String: String]
    ) throws -> Digest {
        let source = spool.source(range)
        while true {
            let piece = try source.read(upTo: 1 << 18)
            if piece.isEmpty { break }
            try writer.write(piece)
        }
        let digest = expected ?? writer.digest
        do { try writer.commit(expected: expected, labels: labels) } catch let error as ServiceError {
            guard error.kind == .alreadyExists else { throw error }
        }
        return digest
    }

    /// The first bytes of a file, to tell its compression.
    func magic(_ name: String) throws -> [UInt8] {
        guard let range = index[name] else { throw ArchiveError("file \(name) is missing") }
        return try spool.source(range).read(upTo: 4)
    }

    func storeManifest(_ manifest: Manifest, bytes: [UInt8], mediaType: String) throws -> Descriptor {
        let digest = try services.content.put(namespace, bytes)
        try label(manifest, digest)
        return Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count))
    }

    /// containerd's labels for what a manifest refers to.
    func label(_ manifest: Manifest, _ digest: Digest) throws {
        try services.content.updateLabels(namespace, digest) { labels in
            labels["containerd.io/gc.ref.content.config"] = manifest.config.digest.string
            for (index, layer) in manifest.layers.enumerated() {
                labels["containerd.io/gc.ref.content.l.\(index)"] = layer.digest.string
            }
        }
    }
}

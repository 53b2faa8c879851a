// SPDX-License-Identifier: Apache-2.0
import Archive
import ContentStore
import JSON
import LinuxSystem
import OCISpec
import Tar

/// An image that an archive brought into the content store.
struct ArchivedImage: Sendable {
    /// Full references; empty if the archive gives the image no name.
    var names: [String]
    /// Tags that an image layout gives without the name of a repository.
    var tags: [String] = []
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

/// Reads the images of an archive whose files are in the store or in memory by now. Blocks.
struct ArchiveReader {
    let services: ImageServices
    let namespace: String
    let intake: ArchiveIntake
    /// Which images of an index are taken; empty takes all.
    var platforms: [Platform] = []

    /// All images of the archive, their content stored and verified. A layout is preferred to a manifest.json beside
    /// it, since it has the image's own manifest.
    func readAll() throws -> [ArchivedImage] {
        let files = ArchiveFiles(services: services, namespace: namespace, intake: intake)
        if files.contains("oci-layout"), files.contains("index.json") {
            return try LayoutReader(files: files, platforms: platforms).readAll()
        }
        guard files.contains("manifest.json") else {
            throw ArchiveError("neither manifest.json nor an OCI layout in it")
        }
        return try DockerArchiveReader(files: files).readAll()
    }
}

extension ArchiveReader {
    /// Stores an index of all images: the layout's own, or else one that is made for it.
    func storeIndex(of targets: [Descriptor]) throws -> Descriptor {
        let files = ArchiveFiles(services: services, namespace: namespace, intake: intake)
        let bytes: [UInt8]
        if files.contains("oci-layout"), files.contains("index.json") {
            bytes = try files.read("index.json", limit: ImageDocument.maximumBytes)
        } else {
            let index: JSONValue = [
                "schemaVersion": 2, "mediaType": .string(MediaType.ociIndex), "manifests": .array(targets.map(\.json)),
            ]
            bytes = index.bytes()
        }
        let digest = try services.content.put(namespace, bytes)
        try services.content.updateLabels(namespace, digest) { labels in
            for (number, target) in targets.enumerated() {
                labels["containerd.io/gc.ref.content.m.\(number)"] = target.digest.string
            }
        }
        return Descriptor(mediaType: MediaType.ociIndex, digest: digest, size: Int64(bytes.count))
    }
}

/// The files of the archive, and the way from there to blobs of the content store.
struct ArchiveFiles {
    let services: ImageServices
    let namespace: String
    let intake: ArchiveIntake

    func contains(_ name: String) -> Bool { intake[name] != nil }

    private func file(_ name: String) throws -> ArchivedFile {
        guard let file = intake[name] else { throw ArchiveError("file \(name) is missing") }
        return file
    }

    /// A small file as a whole.
    func read(_ name: String, limit: Int) throws -> [UInt8] {
        let file = try file(name)
        guard file.size <= limit else { throw ArchiveError("file \(name) is too large") }
        switch file {
        case .memory(let bytes): return bytes
        case .blob(let digest, _): return try services.content.read(namespace, digest, limit: limit)
        }
    }

    /// Makes a file a blob of an image; `expected` is verified, if given.
    func store(_ name: String, expected: Digest? = nil, labels: [String: String] = [:]) throws -> (Digest, Int64) {
        let file = try file(name)
        let content = services.content
        if let expected, try content.adopt(namespace, expected, labels: labels) { return (expected, file.size) }
        let source: any ByteSource
        switch file {
        case .memory(let bytes): source = MemorySource(bytes)
        case .blob(let digest, _):
            if expected == nil || expected?.algorithm == digest.algorithm {
                guard expected == nil || expected == digest else { throw mismatch(digest, expected) }
                guard try content.adopt(namespace, digest, labels: labels) else {
                    throw ServiceError(.notFound, "content digest \(digest): not found")
                }
                return (digest, file.size)
            }
            source = try FileSource(path: content.path(of: digest))
        }
        return (try copy(source, name, size: file.size, expected, labels), file.size)
    }

    private func mismatch(_ digest: Digest, _ expected: Digest?) -> ServiceError {
        ServiceError(
            .failedPrecondition,
            "unexpected commit digest \(digest), expected \(expected?.string ?? ""): failed precondition")
    }

    private func copy(
        _ source: any ByteSource, _ name: String, size: Int64, _ expected: Digest?, _ labels: [String: String]
    ) throws -> Digest {
        let ref = "import-\(monotonicNanoseconds())-\(name.prefix(256))"
        let writer = try services.content.writer(namespace, ref: ref, total: size)
        do {
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
        } catch {
            writer.discard()
            throw error
        }
    }

    /// The first bytes of a file, to tell its compression.
    func magic(_ name: String) throws -> [UInt8] {
        switch try file(name) {
        case .memory(let bytes): Array(bytes.prefix(4))
        case .blob(let digest, _): try services.content.reader(namespace, digest).read(at: 0, count: 4)
        }
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

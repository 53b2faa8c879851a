// SPDX-License-Identifier: Apache-2.0
import Archive
package import ContentStore
package import LinuxSystem
package import OCISpec
package import Snapshots
import Tar

/// Makes a layer blob of what differs between two snapshots. Blocks; safe from any thread.
///
/// The mounts are read, not mounted: a bind mount's source, or the directories of an overlay. So a running container's
/// snapshot can be compared as well.
package struct DiffCreator: Sendable {
    private let content: ContentStore
    private let identities: IdentityMap

    /// - Parameter identities: what the owners in layers stand for on the host.
    package init(content: ContentStore, identities: IdentityMap = IdentityMap()) {
        self.content = content
        self.identities = identities
    }

    /// What to make of the difference.
    package struct Request: Sendable {
        /// Mounts of the state before; none for the difference from nothing.
        package var lower: [SnapshotMount]
        package var upper: [SnapshotMount]
        /// `MediaType.ociLayer`, its gzip or zstd form, or docker's; the digest depends on it.
        package var mediaType: String
        /// The name of the ingest; empty for one that nobody else uses.
        package var ref: String
        /// Labels of the blob.
        package var labels: [String: String]

        package init(
            lower: [SnapshotMount], upper: [SnapshotMount], mediaType: String, ref: String = "",
            labels: [String: String] = [:]
        ) {
            self.lower = lower
            self.upper = upper
            self.mediaType = mediaType.isEmpty ? MediaType.ociLayerGzip : mediaType
            self.ref = ref
            self.labels = labels
        }
    }

    /// Names the paths that a difference leaves out while they are new and empty, one in a line: the mount points that
    /// a container's start made. It is taken off the labels.
    package static let excludeLabel = "io.swrun.diff.exclude"
    /// The diffID, on the blob; containerd's name for it.
    package static let uncompressedLabel = "containerd.io/uncompressed"

    /// Writes the layer into the content store and returns its descriptor.
    package func create(_ namespace: String, _ request: Request) throws -> Descriptor {
        let compression = try Self.compression(request.mediaType)
        var labels = request.labels
        let excluded = labels.removeValue(forKey: Self.excludeLabel) ?? ""
        let difference = LayerDifference(
            from: try Self.stack(request.lower), to: try Self.stack(request.upper),
            ignoring: excluded.split(separator: "\n").map { String($0) }, identities: identities)
        let ref = request.ref.isEmpty ? "diff-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max))" : request.ref
        let writer = try content.writer(namespace, ref: ref)
        do {
            let diffID = try Self.write(difference, compression, to: writer)
            if labels[Self.uncompressedLabel] == nil { labels[Self.uncompressedLabel] = diffID.string }
            let (digest, size) = (writer.digest, writer.status.offset)
            do { try writer.commit(labels: labels) } catch let error as ServiceError
                where error.kind == .alreadyExists
            {}
            return Descriptor(mediaType: request.mediaType, digest: digest, size: size)
        } catch {
            writer.discard()
            throw error
        }
    }

    /// Returns the digest of the uncompressed tar.
    private static func write(
        _ difference: LayerDifference, _ compression: Compression, to writer: ContentWriter
    ) throws -> Digest {
        try writer.restart()
        var buffer: [UInt8] = []
        let blob = FunctionSink { bytes in  // compressors give small pieces, and each write is a system call
            buffer.append(contentsOf: bytes)
            guard buffer.count >= 1 << 18 else { return }
            try writer.write(buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        var hasher = BlobHasher()
        let sink = ObservedSink(try compressing(compression, into: blob)) { hasher.update($0) }
        try difference.write(to: sink)
        try sink.finish()
        try writer.write(buffer)
        return hasher.finish()
    }

    private static func compression(_ mediaType: String) throws(ServiceError) -> Compression {
        switch mediaType {
        case MediaType.ociLayer, MediaType.dockerLayer, MediaType.checkpoint: .none
        case MediaType.ociLayerGzip, MediaType.dockerLayerGzip: .gzip
        case MediaType.ociLayerZstd: .zstd
        default: throw ServiceError(.unimplemented, "unsupported diff media type: \(mediaType): not implemented")
        }
    }

    private static func stack(_ mounts: [SnapshotMount]) throws(ServiceError) -> LayerStack {
        guard let mount = mounts.first else { return .empty }
        guard mounts.count == 1 else {
            throw ServiceError(.unimplemented, "a difference is made of one mount on each side, not of \(mounts.count)")
        }
        do throws(ArchiveError) {
            return try LayerStack(type: mount.type, source: mount.source, options: mount.options)
        } catch {
            throw ServiceError(.unimplemented, "cannot compare: " + error.message)
        }
    }
}

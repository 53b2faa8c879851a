// SPDX-License-Identifier: Apache-2.0
import Archive
package import ContentStore
package import LinuxSystem
package import OCISpec
package import Snapshots
import Synchronization
import Tar

/// Applies a layer blob to the directory that a snapshot's mounts describe. Blocks; safe from any thread.
///
/// The layer is unpacked straight into the writable directory, without mounting anything: a bind mount's source, or the
/// upper directory of an overlay, where whiteouts become overlay's own.
package struct DiffApplier: Sendable {
    private let content: ContentStore
    private let identities: IdentityMap

    /// - Parameter identities: what the owners in layers stand for on the host.
    package init(content: ContentStore, identities: IdentityMap = IdentityMap()) {
        self.content = content
        self.identities = identities
    }

    /// Unpacks the blob `layer` and returns the descriptor of the uncompressed tar, whose digest is the diffID.
    ///
    /// - Parameter progress: called with the number of blob bytes read so far.
    package func apply(
        _ namespace: String, layer: Descriptor, mounts: [SnapshotMount], syncFileSystem: Bool = false,
        progress: (@Sendable (Int64) -> Void)? = nil
    ) throws -> Descriptor {
        let target = try ApplyTarget(mounts)
        let info = try content.info(namespace, layer.digest)
        let path = content.path(of: layer.digest)
        var options = target.options
        options.identities = identities
        let applier = try LayerApplier(directory: target.directory, options: options)
        var diff = Descriptor(mediaType: MediaType.ociLayer, digest: layer.digest, size: info.size)
        if Compression(magic: try FileSource(path: path).read(upTo: 4)) == .none {
            // The blob's digest, which the store has verified, is the diffID.
            try applier.apply(Self.blob(path, progress))
        } else {
            let ahead = ReadAhead { try decompressed(Self.blob(path, progress)) }
            try applier.apply(ahead)
            (diff.digest, diff.size) = try ahead.finish()  // the digest covers what is behind the end mark too
        }
        if syncFileSystem { try LinuxSystem.syncFileSystem(target.directory) }
        return diff
    }

    private static func blob(_ path: FilePath, _ progress: (@Sendable (Int64) -> Void)?) throws -> any ByteSource {
        let counter = ByteCounter(progress)
        return ObservedSource(try FileSource(path: path)) { counter.add($0.count) }
    }
}

/// Where a layer goes.
private struct ApplyTarget {
    let directory: FilePath
    let options: LayerOptions

    init(_ mounts: [SnapshotMount]) throws(ServiceError) {
        guard let mount = mounts.first, mounts.count == 1 else {
            throw ServiceError(.unimplemented, "a layer can be applied to exactly one mount, not to \(mounts.count)")
        }
        switch mount.type {
        case "bind" where !mount.options.contains("ro"):
            directory = FilePath(mount.source)
            options = LayerOptions(whiteouts: .ignored)
        case "overlay":
            guard let upper = Self.option("upperdir=", mount.options).first else {
                throw ServiceError(.invalidArgument, "cannot apply a layer to a read-only overlay")
            }
            directory = FilePath(upper)
            let lowers = Self.option("lowerdir=", mount.options).flatMap { $0.split(separator: ":") }
            options = LayerOptions(whiteouts: .overlay, lowers: lowers.map { FilePath(String($0)) })
        default:
            throw ServiceError(.unimplemented, "cannot apply a layer to a mount of type \"\(mount.type)\"")
        }
    }

    private static func option(_ prefix: String, _ options: [String]) -> [String] {
        options.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }
}

/// Counts blob bytes and reports them in steps, since each report crosses to another task.
private final class ByteCounter {
    private let report: (@Sendable (Int64) -> Void)?
    private var count: Int64 = 0
    private var reported: Int64 = 0

    private static let step: Int64 = 1 << 19

    init(_ report: (@Sendable (Int64) -> Void)?) { self.report = report }

    func add(_ bytes: Int) {
        count += Int64(bytes)
        guard let report, count - reported >= Self.step else { return }
        reported = count
        report(count)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Archive
import ContainerdAPI
import LinuxSystem
import Threads

/// docker's sizes of layers: the lengths of the files in them, where containerd's `Usage` tells the blocks on disk.
extension SupervisorConnection {
    /// The label of a committed snapshot that says its size; our supervisor counts when it commits.
    private static var sizeLabel: String { "io.swrun.snapshot.bytes" }

    /// The bytes of a layer by itself. One without the label, which another supervisor or an earlier version unpacked,
    /// is counted file by file.
    nonisolated func layerBytes(_ layer: Containerd_Services_Snapshots_V1_Info) async throws -> Int64 {
        if let size = layer.labels[Self.sizeLabel].flatMap({ Int64($0) }), size >= 0 { return size }
        // The mounts of a snapshot on top name the layer's directory. The collector knows this kind of name.
        let key = "extract-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max)) size"
        let mounts = try await prepareSnapshot(key, parent: layer.name)
        do {
            let bytes = try await Self.bytes(mounts)
            try await removeSnapshot(key)
            return bytes
        } catch {
            try? await removeSnapshot(key)
            throw error
        }
    }

    private static func bytes(_ mounts: [MountMessage]) async throws -> Int64 {
        guard let mount = mounts.first,
            let layer = try LayerStack(type: mount.type, source: mount.source, options: mount.options).lowers.first
        else { return 0 }
        return try await runOnThread { try treeUsage(layer).lengths }
    }
}

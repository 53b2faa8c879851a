// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Metadata

extension SnapshotUsage {
    /// What a snapshot takes on disk, as containerd's drivers count it.
    init(_ tree: TreeUsage) { self.init(bytes: tree.allocated, inodes: tree.inodes) }
}

/// The label of a committed snapshot that says how many bytes its files have, as docker counts an image's layers: their
/// lengths, not the blocks that they take.
enum SizeLabel {
    static let name = "io.swrun.snapshot.bytes"

    static func adding(_ tree: TreeUsage, to labels: Labels) -> Labels {
        var labels = labels
        labels[name] = String(tree.lengths)
        return labels
    }
}

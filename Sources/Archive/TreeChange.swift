// SPDX-License-Identifier: Apache-2.0
import CLinux

/// One name in which two trees differ.
struct TreeChange {
    enum Kind: Equatable {
        case added
        case modified
        case deleted
        /// A directory that is itself as it was; what is below it comes next, and may differ.
        case unmodified
    }

    var kind: Kind
    /// From the root, without a slash in front; empty for the root itself.
    var path: [UInt8]
    var name: TreeName
    /// The open directory that the node is in, or was in.
    var parent: OwnedBox
    /// The node's status; nil if it was deleted.
    var info: stat?
    /// A directory that hides all that the other tree has in it.
    var isOpaque = false
    /// Deleted together with everything else in an opaque directory.
    var isHidden = false
}

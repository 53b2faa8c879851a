// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import Tar

/// The directories that a snapshot's mount shows as one tree: containerd's mounts, of the kinds our driver makes.
package struct LayerStack: Sendable, Equatable {
    /// Where changes go; nil if the tree is read-only.
    package var upper: FilePath?
    /// What lies below, nearest first.
    package var lowers: [FilePath]

    /// A tree without anything in it.
    package static let empty = LayerStack(upper: nil, lowers: [])

    package init(upper: FilePath?, lowers: [FilePath]) {
        self.upper = upper
        self.lowers = lowers
    }

    /// - Parameter options: mount options, such as `lowerdir=A:B` and `upperdir=C` of an overlay.
    package init(type: String, source: String, options: [String]) throws(ArchiveError) {
        func values(_ key: String) -> [String] {
            options.filter { $0.hasPrefix(key) }.map { String($0.dropFirst(key.utf8.count)) }
        }
        switch type {
        case "bind", "rbind":
            let isReadOnly = options.contains("ro")
            self.init(
                upper: isReadOnly ? nil : FilePath(source), lowers: isReadOnly ? [FilePath(source)] : [])
        case "overlay":
            let lowers = values("lowerdir=").flatMap { $0.split(separator: ":") }.map { FilePath(String($0)) }
            self.init(upper: values("upperdir=").first.map { FilePath($0) }, lowers: lowers)
        default: throw ArchiveError("a mount of type \"\(type)\" is not one of layers")
        }
        guard !directories.isEmpty, directories.allSatisfy(\.isAbsolute) else {
            throw ArchiveError("a mount of type \"\(type)\" names no layers by absolute paths")
        }
    }

    /// All directories, the uppermost first.
    package var directories: [FilePath] { (upper.map { [$0] } ?? []) + lowers }

    /// The merged tree for reading; nil if there is nothing in it.
    ///
    /// Several layers become a read-only overlay that is mounted nowhere: nobody else sees it, and it is gone when its
    /// descriptor is closed, whatever happens. An upper directory is only read, as if it were one more lower one, so
    /// that this works while a container writes to it.
    package func open() throws(SysError) -> OwnedFD? {
        guard let first = directories.first else { return nil }
        if directories.count == 1 { return try LinuxSystem.open(first, O_RDONLY | O_DIRECTORY) }
        guard let tree = try mountTree() else { return nil }
        return try openInRoot(tree.fd, "/", O_RDONLY | O_DIRECTORY)
    }

    /// The same as a read-only mount that is to be attached somewhere.
    package func mountTree() throws(SysError) -> MountTree? {
        let layers = directories
        guard let first = layers.first else { return nil }
        if layers.count == 1 {  // overlayfs wants two
            let tree = try MountTree.clone(path: first, recursive: false)
            try tree.change(set: Self.readOnly)
            return tree
        }
        do throws(SysError) {
            // One option for each layer: the value of an option is at most 255 bytes long.
            return try Self.overlay(layers.map { "lowerdir+=" + $0.string })
        } catch {
            guard error.errno == .invalidArgument else { throw error }
            return try Self.overlay(["lowerdir=" + layers.map(\.string).joined(separator: ":")])  // before Linux 6.8
        }
    }

    private static let readOnly: MountAttributes = [.readOnly, .noDev, .noSuid, .noExec]

    private static func overlay(_ options: [String]) throws(SysError) -> MountTree {
        try MountTree.new(type: "overlay", source: "overlay", options: options, attributes: readOnly)
    }
}

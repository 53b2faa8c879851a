// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// Layers of an overlay as one read-only tree, mounted detached and without devices: nobody else sees the mount, and
/// it is gone when its descriptor is closed, whatever happens.
enum LayerTree {
    /// The root directory of the tree; the uppermost layer comes first. nil if there is no layer.
    static func open(_ layers: [FilePath]) throws(SysError) -> OwnedFD? {
        guard let first = layers.first else { return nil }
        if layers.count == 1 { return try LinuxSystem.open(first, OpenFlags.directory) }  // overlayfs wants two
        do throws(SysError) {
            // One option for each layer: the value of an option is at most 255 bytes long.
            return try mount(layers.map { "lowerdir+=" + $0.string })
        } catch {
            guard error.errno == .invalidArgument else { throw error }
            return try mount(["lowerdir=" + layers.map(\.string).joined(separator: ":")])  // before Linux 6.8
        }
    }

    /// The layers that an overlay mount with these options has of one kind, `upperdir` or `lowerdir`.
    static func layers(_ key: String, of options: [String]) -> [FilePath] {
        guard let option = options.first(where: { $0.hasPrefix(key + "=") }) else { return [] }
        return option.dropFirst(key.utf8.count + 1).split(separator: ":").map { FilePath(String($0)) }
    }

    private static func mount(_ options: [String]) throws(SysError) -> OwnedFD {
        let attributes: MountAttributes = [.readOnly, .noDev, .noSuid, .noExec]
        let tree = try MountTree.new(type: "overlay", source: "overlay", options: options, attributes: attributes)
        return try openInRoot(tree.fd, "/", OpenFlags.directory)
    }
}

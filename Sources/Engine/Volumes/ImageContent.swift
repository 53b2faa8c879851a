// SPDX-License-Identifier: Apache-2.0
import Archive
import LinuxSystem

/// What an image has at a path, copied into a new volume that is mounted there (docker's "copy-up").
///
/// The image's layers are mounted read-only and detached: nobody else sees the mount, and it is gone when its
/// descriptor is closed, whatever happens. Image content is hostile input: the path is resolved inside the mount, and
/// from there on only descriptors and names are used.
enum ImageContent {
    /// Copies the directory `path` of the image whose layers are `layers` (the uppermost first) into the empty directory
    /// `target`. A path that the image does not have, or that is no directory, gives nothing to copy.
    static func copy(layers: [FilePath], path: String, into target: FilePath) throws(SysError) {
        guard let root = try LayerStack(upper: nil, lowers: layers).open() else { return }
        let source: OwnedFD
        do throws(SysError) {
            source = try openInRoot(root, path, O_RDONLY_DIRECTORY)
        } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { return }
            throw error
        }
        var copier = TreeCopier()
        try copier.copyContent(of: source, into: try open(target, O_RDONLY_DIRECTORY))
    }

    /// The layers of an overlay snapshot, from its mount options; empty if it is mounted in another way.
    static func layers(options: [String]) -> [FilePath] {
        let key = "lowerdir="
        guard let list = options.first(where: { $0.hasPrefix(key) }) else { return [] }
        return list.dropFirst(key.count).split(separator: ":").map { FilePath(String($0)) }
    }
}

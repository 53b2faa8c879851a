// SPDX-License-Identifier: Apache-2.0
import Archive
import LinuxSystem

/// What an image has at a path, copied into a new volume that is mounted there (docker's "copy-up").
///
/// Image content is hostile input: the path is resolved inside the image's layers, and from there on only descriptors
/// and names are used.
enum ImageContent {
    /// Copies the directory `path` of the image whose layers are `layers` (the uppermost first) into the empty directory
    /// `target`. A path that the image does not have, or that is no directory, gives nothing to copy. Blocks.
    static func copy(layers: [FilePath], path: String, into target: borrowing OwnedFD) throws(SysError) {
        guard let source = try directory(layers, path) else { return }
        var copier = TreeCopier()
        try copier.copyContent(of: source, into: target)
    }

    /// Whether the image has a directory at `path`. Blocks.
    static func exists(layers: [FilePath], path: String) -> Bool {
        do throws(SysError) { return try directory(layers, path) != nil } catch { return true }  // copying tells why
    }

    private static func directory(_ layers: [FilePath], _ path: String) throws(SysError) -> OwnedFD? {
        guard let root = try LayerStack(upper: nil, lowers: layers).open() else { return nil }
        do throws(SysError) {
            return try openInRoot(root, path, OpenFlags.directory)
        } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { return nil }
            throw error
        }
    }

    /// The layers of an overlay snapshot, from its mount options; empty if it is mounted in another way.
    static func layers(options: [String]) -> [FilePath] {
        (try? LayerStack(type: "overlay", source: "", options: options))?.lowers ?? []
    }
}

// SPDX-License-Identifier: Apache-2.0
package import CLinux
package import LinuxSystem
package import Tar

/// A path in a tree that somebody else may be changing, found inside the tree's root and from then on known by
/// descriptor: what `docker cp` reads from or writes to.
///
/// A last component that is a symbolic link is not followed, unless the path ends in a slash or in `/.`.
package struct TreePlace: Sendable {
    /// The node's status when it was found.
    package let info: stat
    /// Its name in an archive: the path's last component; `.` for `dir/.`, `/` for the root.
    package let archiveName: [UInt8]
    /// Absolute and without `.` and `..`: from the text alone, so links are not resolved.
    package let path: EntryPath
    private let parent: OwnedBox
    private let name: TreeName
    /// The node itself if it is a directory.
    private let directory: OwnedBox?

    /// - Parameter text: from the root of the tree whether it begins with a slash or not; `..` stays in it.
    /// - Throws: ENOENT and ENOTDIR if there is nothing.
    package init(_ root: borrowing OwnedFD, _ text: String) throws(SysError) {
        let normalized = FilePath("/" + text).normalized
        let isContent = text == "." || text.hasSuffix("/.")
        let components = normalized.components.map { Array($0.utf8) }
        path = EntryPath(components: components)
        archiveName = isContent ? [UInt8(ascii: ".")] : components.last ?? [UInt8(ascii: "/")]
        if isContent || text.hasSuffix("/") || components.isEmpty {
            parent = OwnedBox(try openInRoot(root, normalized.string, O_PATH | O_DIRECTORY))
            name = TreeName([UInt8(ascii: ".")])
        } else {
            parent = OwnedBox(try openInRoot(root, normalized.parent.string, O_PATH | O_DIRECTORY))
            name = TreeName(path.name)
        }
        guard let info = try name.status(in: parent.fd) else { throw SysError("lstat", text, .noSuchFile) }
        self.info = info
        directory = isDirectory(info) ? OwnedBox(try name.open(in: parent.fd, O_RDONLY | O_DIRECTORY)) : nil
        // What the kernel shows of itself is not there for archives.
        guard try !isOnKernelFileSystem((directory ?? parent).fd) else { throw SysError("lstat", text, .noSuchFile) }
    }

    /// Whether the node, or its directory if it is none, is on a mount or a file system that is read-only.
    package var isOnReadOnlyMount: Bool {
        get throws(SysError) { try LinuxSystem.isOnReadOnlyMount((directory ?? parent).fd) }
    }

    /// Writes an archive of it and of all below it to `sink`, and finishes that. Blocks.
    package func write(to sink: any ByteSink) throws {
        let writer = NodeWriter(sink, rootName: archiveName)
        if let directory {
            let walk = TreeWalk(.all, upper: try directory.fd.duplicate(), lower: nil)
            while let change = try walk.next() { try writer.write(change) }
        } else {
            try writer.write(TreeChange(kind: .added, path: [], name: name, parent: parent, info: info))
        }
        try writer.finish()
        try sink.finish()
    }
}

/// Where the symbolic link at `path` leads in the tree: an absolute path with all links in it resolved as far as there is
/// something. nil if it is no link.
package func linkTarget(_ root: borrowing OwnedFD, _ path: EntryPath) throws(SysError) -> String? {
    var resolved: [[UInt8]] = []
    var pending = Array(path.components.reversed())
    var links = 0
    while let component = pending.popLast() {
        if component == [UInt8(ascii: "."), UInt8(ascii: ".")] {
            _ = resolved.popLast()
            continue
        }
        guard let target = try link(root, EntryPath(components: resolved), component) else {
            resolved.append(component)
            continue
        }
        links += 1
        guard links < 256 else { throw SysError("readlink", path.display, .loop) }
        if target.first == UInt8(ascii: "/") { resolved = [] }
        let parts = target.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [UInt8(ascii: ".")] }
        pending += parts.reversed()
    }
    return links == 0 ? nil : "/" + EntryPath(components: resolved).display
}

private func link(
    _ root: borrowing OwnedFD, _ directory: EntryPath, _ component: [UInt8]
) throws(SysError) -> [UInt8]? {
    do throws(SysError) {
        let parent = try openDirectory(root, directory, crossingMounts: true)
        let name = TreeName(component)
        guard let info = try name.status(in: parent), isSymbolicLink(info) else { return nil }
        return try name.symbolicLinkTarget(in: parent)
    } catch {
        guard error.errno == .noSuchFile || error.errno == .notDirectory else { throw error }
        return nil
    }
}

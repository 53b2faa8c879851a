// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
import Tar

/// What makes one tree out of another: as a list, or as a layer (image-spec layer.md) that does it.
///
/// If the upper tree is an overlay on the lower one, only its upper directory is read; otherwise both are walked whole.
/// Both trees may be in use. Blocks.
package struct LayerDifference: Sendable {
    private let lower: LayerStack
    private let upper: LayerStack
    private let ignored: [String]
    private let identities: IdentityMap

    /// - Parameter ignored: absolute paths in the tree that do not count as long as they are empty and new: the mount
    ///   points of a container.
    /// - Parameter identities: what the owners in both trees stand for in the layer.
    package init(
        from lower: LayerStack, to upper: LayerStack, ignoring ignored: [String] = [],
        identities: IdentityMap = IdentityMap()
    ) {
        self.lower = lower
        self.upper = upper
        self.ignored = ignored
        self.identities = identities
    }

    /// Writes the layer as an uncompressed tar; returns how many entries it has. `sink` is left unfinished.
    @discardableResult
    package func write(to sink: any ByteSink) throws -> Int {
        let writer = NodeWriter(sink, identities: identities)
        var parents = PendingParents()
        let walk = try walk()
        while let change = try walk.next() {
            if change.kind == .unmodified {
                parents.add(change)
            } else if change.path.isEmpty, change.kind == .added {
                continue  // the root of a tree that had none: nothing that a layer could bring
            } else if !change.isHidden {
                for parent in parents.take(above: change.path) { try writer.write(parent) }
                try writer.write(change)
            }
        }
        try writer.finish()
        return writer.count
    }

    /// The changes as `docker diff` lists them.
    package func changes() throws -> [FileChange] {
        var list: [FileChange] = []
        var parents = PendingParents()
        let walk = try walk()
        while let change = try walk.next() {
            if change.path.isEmpty { continue }
            if change.kind == .unmodified {
                parents.add(change)
            } else {
                for parent in parents.take(above: change.path) { list.append(FileChange(parent, .modified)) }
                list.append(FileChange(change, change.kind))
            }
        }
        return list
    }

    private func walk() throws -> TreeWalk {
        guard let first = upper.directories.first, Array(upper.directories.dropFirst()) == lower.directories,
            !Self.upperMayNeedOthers
        else { return try comparison() }
        let below = try lower.open()
        let mode: TreeWalk.Mode = below == nil ? .all : .overlay
        return TreeWalk(
            mode, upper: try LinuxSystem.open(first, O_RDONLY | O_DIRECTORY), lower: Self.box(below),
            ignoring: ignored)
    }

    private func comparison() throws -> TreeWalk {
        guard let tree = try upper.open() else { throw ArchiveError("the tree to compare has no layers") }
        let below = try lower.open()
        return TreeWalk(below == nil ? .all : .comparison, upper: tree, lower: Self.box(below), ignoring: ignored)
    }

    private static func box(_ file: consuming OwnedFD?) -> OwnedBox? {
        guard let file else { return nil }
        return OwnedBox(file)
    }

    /// With these options an upper directory alone does not say what was renamed, or what a file's data is.
    private static var upperMayNeedOthers: Bool {
        ["redirect_dir", "metacopy"].contains { name in
            (try? readText(FilePath("/sys/module/overlay/parameters/" + name)).hasPrefix("Y")) ?? false
        }
    }
}

/// One line of `docker diff`.
package struct FileChange: Sendable, Equatable {
    package enum Kind: Sendable {
        case modified
        case added
        case deleted
    }

    package var kind: Kind
    /// Absolute, in the container.
    package var path: String

    package init(kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }
}

extension FileChange {
    fileprivate init(_ change: TreeChange, _ kind: TreeChange.Kind) {
        let kind: Kind =
            switch kind {
            case .added: .added
            case .deleted: .deleted
            case .modified, .unmodified: .modified
            }
        self.init(kind: kind, path: "/" + String(decoding: change.path, as: UTF8.self))
    }
}

/// Directories that did not change themselves: they count only if something in them did.
private struct PendingParents {
    private var directories: [TreeChange] = []

    mutating func add(_ directory: TreeChange) {
        prune(directory.path)
        directories.append(directory)
    }

    /// Those that `path` is below, and that were not taken yet.
    mutating func take(above path: [UInt8]) -> [TreeChange] {
        prune(path)
        defer { directories = [] }
        return directories.filter { !$0.path.isEmpty }
    }

    private mutating func prune(_ path: [UInt8]) {
        directories.removeAll { !$0.path.isEmpty && !path.starts(with: $0.path + [UInt8(ascii: "/")]) }
    }
}

/// Writes everything of a tree as an uncompressed tar, as `docker export` does, with the owners that those in the tree
/// stand for. Blocks.
package func writeTree(
    _ stack: LayerStack, identities: IdentityMap = IdentityMap(), to sink: any ByteSink
) throws {
    guard let root = try stack.open() else { throw ArchiveError("the tree to write has no layers") }
    try writeTree(root, identities: identities, to: sink)
}

/// The same of a directory.
package func writeTree(
    _ root: consuming OwnedFD, identities: IdentityMap = IdentityMap(), to sink: any ByteSink
) throws {
    let writer = NodeWriter(sink, identities: identities)
    let walk = TreeWalk(.all, upper: root, lower: nil)
    _ = try walk.next()  // the root itself
    while let change = try walk.next() { try writer.write(change) }
    try writer.finish()
    try sink.finish()
}

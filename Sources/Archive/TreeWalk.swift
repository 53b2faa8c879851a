// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Tar

/// Walks one tree, or two side by side, and tells what is there or what differs: parents before children, names in the
/// order of their bytes.
///
/// A container may be writing to the tree. So every directory is opened by its name in its open parent and never through
/// a symbolic link, which cannot lead outside; and what vanishes meanwhile is passed over. In memory are the names of the
/// directories on the way down, and nothing else.
final class TreeWalk {
    enum Mode {
        /// Everything in the upper tree was added.
        case all
        /// The upper tree is the upper directory of an overlay on the lower one (kernel:
        /// Documentation/filesystems/overlayfs.rst): it has what differs, and whiteouts.
        case overlay
        /// Both trees are whole.
        case comparison
    }

    private struct Frame {
        var path: [UInt8]
        var upper: OwnedBox
        var lower: OwnedBox?
        /// Still to be visited, the next one last.
        var names: [[UInt8]]
        var isOpaque: Bool
    }

    /// Longer paths are of no use to anyone: no system call takes them, and no unpacker.
    static let maximumPath = 4096

    private let mode: Mode
    private let ignored: IgnoredPaths
    private let roots: (upper: OwnedBox, lower: OwnedBox?)
    private var frames: [Frame] = []
    private var isStarted = false

    init(_ mode: Mode, upper: consuming OwnedFD, lower: OwnedBox?, ignoring paths: [String] = []) {
        self.mode = mode
        ignored = IgnoredPaths(paths)
        roots = (OwnedBox(upper), lower)
    }

    /// The next change; nil at the end. The root comes first.
    func next() throws -> TreeChange? {
        if !isStarted {
            isStarted = true
            return try start()
        }
        while let frame = frames.last {
            guard let name = frame.names.last else {
                frames.removeLast()
                continue
            }
            frames[frames.count - 1].names.removeLast()
            if let change = try visit(name, in: frame) { return change }
        }
        return nil
    }

    private func start() throws -> TreeChange {
        let name = TreeName([UInt8(ascii: ".")])
        let info = try status(roots.upper.fd)
        try push([], roots.upper, roots.lower, isOpaque: false)
        var kind = TreeChange.Kind.added
        if mode != .all, let lower = roots.lower {
            kind = NodeComparison.hasSameAttributes(info, try status(lower.fd)) ? .unmodified : .modified
        }
        return TreeChange(kind: kind, path: [], name: name, parent: roots.upper, info: info)
    }

    private func push(_ path: [UInt8], _ upper: OwnedBox, _ lower: OwnedBox?, isOpaque: Bool) throws {
        var all = try names(in: upper.fd)
        if let lower, mode == .comparison || isOpaque {
            let others = try names(in: lower.fd)
            all = Array(Set(all).union(others))
        }
        all.sort { $1.lexicographicallyPrecedes($0) }
        frames.append(Frame(path: path, upper: upper, lower: lower, names: all, isOpaque: isOpaque))
    }

    private func visit(_ bytes: [UInt8], in frame: Frame) throws -> TreeChange? {
        let path = frame.path.isEmpty ? bytes : frame.path + [UInt8(ascii: "/")] + bytes
        guard path.count < Self.maximumPath else {
            throw ArchiveError("path is too long: " + String(decoding: path.prefix(256), as: UTF8.self) + "…")
        }
        let name = TreeName(bytes)
        let below = try frame.lower.flatMap { try name.status(in: $0.fd) }
        guard let info = try name.status(in: frame.upper.fd) else {
            guard below != nil, mode == .comparison || frame.isOpaque else { return nil }
            return deletion(path, name, frame, isHidden: mode == .overlay)
        }
        if mode == .overlay, isWhiteoutDevice(info) {
            return below == nil ? nil : deletion(path, name, frame, isHidden: false)
        }
        if ignored.contains(path), below == nil, IgnoredPaths.isEmpty(info) { return nil }
        let change = TreeChange(kind: .added, path: path, name: name, parent: frame.upper, info: info)
        if isDirectory(info) { return try visitDirectory(change, info, below, frame) }
        return try visitNode(change, info, below, frame)
    }

    private func deletion(_ path: [UInt8], _ name: TreeName, _ frame: Frame, isHidden: Bool) -> TreeChange {
        TreeChange(kind: .deleted, path: path, name: name, parent: frame.upper, info: nil, isHidden: isHidden)
    }

    private func visitNode(
        _ change: TreeChange, _ info: stat, _ below: stat?, _ frame: Frame
    ) throws -> TreeChange? {
        var change = change
        guard let below, let lower = frame.lower, mode != .all else { return change }
        if mode == .comparison {
            let comparison = NodeComparison(name: change.name, upper: frame.upper, lower: lower)
            if try comparison.isSame(info, below) { return nil }
        }
        change.kind = .modified
        return change
    }

    private func visitDirectory(
        _ change: TreeChange, _ info: stat, _ below: stat?, _ frame: Frame
    ) throws -> TreeChange? {
        var change = change
        let flags = O_RDONLY | O_DIRECTORY
        guard let upper = try opened({ () throws(SysError) in try change.name.open(in: frame.upper.fd, flags) }) else {
            return nil
        }
        var lower: OwnedBox?
        if mode != .all, let parent = frame.lower, let below {
            change.kind = .modified
            if isDirectory(below) {
                lower = try opened { () throws(SysError) in try change.name.open(in: parent.fd, flags) }
                change.isOpaque = try mode == .overlay && isMarkedOpaque(change.name, in: frame.upper.fd)
                if !change.isOpaque, NodeComparison.hasSameAttributes(info, below) {
                    change.kind = .unmodified
                }
            }
        }
        let isMount = info.st_dev != (try status(frame.upper.fd)).st_dev
        // What the kernel shows of itself is in no archive: the files have no size, and reading some does things.
        if isMount, try isOnKernelFileSystem(upper.fd) { return change }
        try push(change.path, upper, lower, isOpaque: change.isOpaque)
        return change
    }

    /// nil if there is no such directory any more.
    private func opened(_ open: () throws(SysError) -> OwnedFD) throws(SysError) -> OwnedBox? {
        do throws(SysError) { return OwnedBox(try open()) } catch {
            guard [.noSuchFile, .notDirectory, .loop].contains(error.errno) else { throw error }
            return nil
        }
    }

    private func isMarkedOpaque(_ name: TreeName, in parent: borrowing OwnedFD) throws(SysError) -> Bool {
        try name.extendedAttribute(Array("trusted.overlay.opaque".utf8), in: parent) == [UInt8(ascii: "y")]
    }
}

/// Paths that whoever set up the container made to mount something on: nobody's change, as long as nobody used them.
struct IgnoredPaths {
    private let paths: Set<[UInt8]>

    /// - Parameter paths: absolute paths in the tree.
    init(_ paths: [String]) {
        self.paths = Set(paths.map { Array($0.utf8.drop { $0 == UInt8(ascii: "/") }) })
    }

    func contains(_ path: [UInt8]) -> Bool { paths.contains(path) }

    /// A mount point of a file or of a directory, or the target of a link.
    static func isEmpty(_ info: stat) -> Bool {
        isDirectory(info) || isSymbolicLink(info) || isRegularFile(info) && info.st_size == 0
    }
}

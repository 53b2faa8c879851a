// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import Tar

/// How a layer is applied to a directory.
package struct LayerOptions: Sendable {
    /// What becomes of whiteouts (`.wh.NAME`, image-spec layer.md).
    package enum Whiteouts: Sendable {
        /// The directory is the upper one of an overlay: 0:0 devices and `trusted.overlay.opaque`.
        case overlay
        /// Nothing lies below the directory, so there is nothing to hide.
        case ignored
    }

    package var whiteouts: Whiteouts
    /// The directories below, nearest first; directories that the layer only implies are made like theirs.
    package var lowers: [FilePath]
    /// Sets owners and makes devices, which only root may.
    package var preservesOwnership: Bool
    /// Fails once this many bytes of file data were written.
    package var maximumBytes: Int64

    package init(
        whiteouts: Whiteouts = .ignored, lowers: [FilePath] = [], preservesOwnership: Bool = true,
        maximumBytes: Int64 = .max
    ) {
        self.whiteouts = whiteouts
        self.lowers = lowers
        self.preservesOwnership = preservesOwnership
        self.maximumBytes = maximumBytes
    }
}

/// Unpacks one layer into one directory. Nobody else may write there meanwhile.
///
/// The parent directory of each entry is opened with openat2(RESOLVE_IN_ROOT), so that no symbolic link leads outside;
/// all else is done with that descriptor and a single name, never following a link.
package final class LayerApplier {
    let root: OwnedFD
    let options: LayerOptions
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    /// The parent directory of the last entry: the next one is mostly there too.
    private var cached: (path: EntryPath, directory: OwnedBox)?
    /// Times of directories are set last, since making children changes them.
    private var directoryTimes: [(path: EntryPath, time: TarEntry.Time)] = []
    private(set) var bytesWritten: Int64 = 0

    package init(directory: FilePath, options: LayerOptions) throws(SysError) {
        root = try LinuxSystem.open(directory, O_RDONLY | O_DIRECTORY)
        self.options = options
    }

    deinit { buffer.deallocate() }

    /// Applies an uncompressed tar stream up to its end mark. What is behind that is left for the caller to drain.
    package func apply(_ source: any ByteSource) throws {
        let reader = TarReader(source)
        while let entry = try reader.next() {
            do { try apply(entry, reader) } catch let error as SysError {
                throw SysError("unpack " + entry.displayPath + ": " + error.operation, error.subject, error.errno)
            }
        }
        try setDirectoryTimes()
    }

    private func apply(_ entry: TarEntry, _ reader: TarReader) throws {
        let path = try EntryPath(entry.path)
        guard !path.isRoot else { return try applyRoot(entry) }
        switch try Whiteout(path) {
        case .none: try make(entry, path, reader)
        case .metadata: break
        case .opaque: try makeOpaque(path.parent)
        case .removal(let name): try makeWhiteout(name, entry, path.parent)
        }
    }

    /// The entry `.`: the root's own attributes.
    private func applyRoot(_ entry: TarEntry) throws {
        guard entry.kind == .directory else { throw ArchiveError("tar entry for the root is no directory") }
        try setAttributes(entry, TreeName([UInt8(ascii: ".")]), in: root)
        directoryTimes.append((EntryPath(components: []), entry.modified))
    }

    private func make(_ entry: TarEntry, _ path: EntryPath, _ reader: TarReader) throws {
        let parent = try parentDirectory(path.parent)
        let name = TreeName(path.name)
        switch entry.kind {
        case .directory:
            let replaced = try replacing(entry, name, path, in: parent) { replaced throws(SysError) in
                if replaced != .directory { try name.makeDirectory(in: parent.fd, mode: mode_t(entry.mode)) }
                return replaced
            }
            if replaced == .whiteout { try setOpaque(name, in: parent.fd) }
            directoryTimes.append((path, entry.modified))
        case .regular:
            let file = try replacing(entry, name, path, in: parent) { _ throws(SysError) in
                try name.open(in: parent.fd, O_WRONLY | O_CREAT | O_EXCL, mode: mode_t(entry.mode))
            }
            return try writeFile(entry, name, file, in: parent.fd, reader)
        case .hardLink:
            guard try EntryPath(entry.linkTarget) != path else { return }
            return try replacing(entry, name, path, in: parent) { _ in
                try makeHardLink(entry, name, in: parent.fd)
            }
        case .symbolicLink, .fifo, .characterDevice, .blockDevice:
            try replacing(entry, name, path, in: parent) { _ in try makeNode(entry, name, in: parent.fd) }
        }
        try setAttributes(entry, name, in: parent.fd)
    }

    /// What an entry took the place of.
    private enum Replaced { case nothing, directory, whiteout, other }

    /// Makes the node of an entry. Mostly its name is free, so that is tried first, and then again after what stood in
    /// the way was removed.
    private func replacing<R: ~Copyable>(
        _ entry: TarEntry, _ name: TreeName, _ path: EntryPath, in parent: OwnedBox, _ create: (Replaced) throws -> R
    ) throws -> R {
        do { return try create(.nothing) } catch let error as SysError {
            guard error.errno == .exists else { throw error }
        }
        return try create(try makeRoom(entry, name, path, in: parent.fd))
    }

    /// Removes what stands in the way of an entry; a directory stays if the entry is one too.
    private func makeRoom(
        _ entry: TarEntry, _ name: TreeName, _ path: EntryPath, in parent: borrowing OwnedFD
    ) throws -> Replaced {
        guard let info = try name.status(in: parent) else { return .nothing }
        if isDirectory(info), entry.kind == .directory { return .directory }
        cached = nil
        try removeNode(name, in: parent)
        if isDirectory(info) { directoryTimes.removeAll { $0.path.components.starts(with: path.components) } }
        return isWhiteoutDevice(info) && options.whiteouts == .overlay ? .whiteout : .other
    }

    // MARK: Directories

    /// The open parent of an entry, made if the archive has no entry for it.
    func parentDirectory(_ path: EntryPath) throws -> OwnedBox {
        if let cached, cached.path == path { return cached.directory }
        let directory = try openOrMake(path)
        cached = (path, directory)
        return directory
    }

    private func openOrMake(_ path: EntryPath) throws -> OwnedBox {
        do throws(SysError) { return OwnedBox(try openDirectory(root, path)) } catch {
            guard error.errno == .noSuchFile, !path.isRoot else { throw error }
        }
        let parent = try openOrMake(path.parent)
        let name = TreeName(path.name)
        if let info = try name.status(in: parent.fd) {
            // A whiteout gives way to the directory that the layer puts there; a dangling symbolic link does not.
            guard isWhiteoutDevice(info) else {
                throw SysError("openat2", path.display, .notDirectory)
            }
            try name.remove(in: parent.fd, isDirectory: false)
            try name.makeDirectory(in: parent.fd, mode: 0o755)
            try setOpaque(name, in: parent.fd)
        } else {
            try name.makeDirectory(in: parent.fd, mode: 0o755)
        }
        try copyLowerAttributes(path, name, in: parent.fd)
        return OwnedBox(try openDirectory(root, path))
    }

    private func setDirectoryTimes() throws {
        for (path, time) in directoryTimes.reversed() {
            guard !path.isRoot else {
                try TreeName([UInt8(ascii: ".")]).setModified(in: root, time.bounded)
                continue
            }
            let parent = try openDirectory(root, path.parent)
            try TreeName(path.name).setModified(in: parent, time.bounded)
        }
    }

    func count(_ bytes: Int) throws {
        bytesWritten += Int64(bytes)
        guard bytesWritten <= options.maximumBytes else {
            throw ArchiveError("layer unpacks to more than \(options.maximumBytes) bytes")
        }
    }
}

extension TarEntry.Time {
    /// The time within what every file system can keep; nonsense becomes 1970, as in other unpackers.
    var bounded: TarEntry.Time {
        (0...253_402_300_799).contains(seconds) ? self : TarEntry.Time(seconds: 0)
    }
}

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
        /// The archive is no layer: such names are names like any other.
        case literal
    }

    package var whiteouts: Whiteouts
    /// The directories below, nearest first; directories that the layer only implies are made like theirs.
    package var lowers: [FilePath]
    /// Sets owners and makes devices, which only root may.
    package var preservesOwnership: Bool
    /// Fails once this many bytes of file data were written.
    package var maximumBytes: Int64
    /// Everything belongs to this user, whatever the archive says.
    package var owner: FileOwner?
    /// Owners in the archive are a user namespace's; the tree has the host's ids for them.
    package var identities = IdentityMap()
    /// Goes through mounts in the directory, but never into a file system of the kernel's (`/proc`, `/sys`).
    package var crossesMounts = false
    /// A directory is not replaced by anything else, nor anything else by a directory.
    package var keepsKinds = false
    /// New directories are spread over the disk, for a tree in which files come and go.
    package var spreadsDirectories = false

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

/// Unpacks one layer, or any other archive, into one directory.
///
/// The parent directory of each entry is opened with openat2(RESOLVE_IN_ROOT), so that no symbolic link leads outside;
/// all else is done with that descriptor and a single name, never following a link. So somebody who changes the tree
/// meanwhile can spoil the result and nothing else.
package final class LayerApplier {
    private let root: OwnedFD
    /// Where in the root the entries go: links lead anywhere in the root.
    private let base: EntryPath
    let options: LayerOptions
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    /// The parent directory of the last entry: the next one is mostly there too.
    private var cached: (path: EntryPath, directory: OwnedBox)?
    /// Times of directories are set last, since making children changes them.
    private var directoryTimes: [(path: EntryPath, time: TarEntry.Time)] = []
    /// Directories that have the hint to spread those that are made in them, as long as this goes on.
    private var spreading: [EntryPath] = []
    private(set) var bytesWritten: Int64 = 0

    package init(directory: FilePath, options: LayerOptions) throws(SysError) {
        root = try LinuxSystem.open(directory, O_RDONLY | O_DIRECTORY)
        base = EntryPath(components: [])
        self.options = options
    }

    /// - Parameter base: the directory below `root` that the entries are relative to.
    package init(root: consuming OwnedFD, base: EntryPath, options: LayerOptions) {
        self.root = root
        self.base = base
        self.options = options
    }

    deinit { buffer.deallocate() }

    /// Applies an uncompressed tar stream up to its end mark. What is behind that is left for the caller to drain.
    package func apply(_ source: any ByteSource) throws {
        let reader = TarReader(source)
        defer { for path in spreading { spread(below: path, false) } }
        while var entry = try reader.next() {
            try setOwner(&entry)
            do { try apply(entry, reader) } catch let error as SysError {
                throw SysError(
                    "unpack " + entry.displayPath + ": " + error.operation, error.subject, error.errno,
                    hint: error.hint)
            }
        }
        try setDirectoryTimes()
    }

    private func setOwner(_ entry: inout TarEntry) throws(ArchiveError) {
        let owner = options.owner ?? FileOwner(uid: entry.uid, gid: entry.gid)
        guard let mapped = options.identities.onHost(owner) else {
            throw ArchiveError("\(entry.displayPath): owner \(owner.uid):\(owner.gid) cannot be mapped to a host ID")
        }
        (entry.uid, entry.gid) = (mapped.uid, mapped.gid)
    }

    private func apply(_ entry: TarEntry, _ reader: TarReader) throws {
        let path = try EntryPath(entry.path)
        if options.whiteouts == .literal {
            if !path.isRoot { try make(entry, path, reader) }
            return
        }
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
                if replaced == .nothing { spread(below: path.parent) }
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
        if options.keepsKinds { try checkKinds(entry, path, isDirectory: isDirectory(info)) }
        cached = nil
        try removeNode(name, in: parent)
        if isDirectory(info) { directoryTimes.removeAll { $0.path.components.starts(with: path.components) } }
        return isWhiteoutDevice(info) && options.whiteouts == .overlay ? .whiteout : .other
    }

    private func checkKinds(_ entry: TarEntry, _ path: EntryPath, isDirectory: Bool) throws(ArchiveError) {
        let place = "\"/" + EntryPath(components: base.components + path.components).display + "\""
        if isDirectory {
            throw ArchiveError("cannot overwrite directory \(place) with non-directory \"\(entry.displayPath)\"")
        }
        if entry.kind == .directory {
            throw ArchiveError("cannot overwrite non-directory \(place) with directory \"\(entry.displayPath)\"")
        }
    }

    // MARK: Directories

    /// A directory of the tree, by its path from the base.
    func open(_ path: EntryPath) throws(SysError) -> OwnedFD {
        let full = EntryPath(components: base.components + path.components)
        let directory = try openDirectory(root, full, crossingMounts: options.crossesMounts)
        if options.crossesMounts, try isOnKernelFileSystem(directory) {
            throw SysError("write", full.display, .readOnly, hint: "it is a file system of the kernel's")
        }
        return directory
    }

    /// The open parent of an entry, made if the archive has no entry for it.
    func parentDirectory(_ path: EntryPath) throws -> OwnedBox {
        if let cached, cached.path == path { return cached.directory }
        let directory = try openOrMake(path)
        cached = (path, directory)
        return directory
    }

    private func openOrMake(_ path: EntryPath) throws -> OwnedBox {
        do throws(SysError) { return OwnedBox(try open(path)) } catch {
            guard [.noSuchFile, .notDirectory].contains(error.errno) else { throw error }
        }
        var (directory, depth) = try openExisting(path)
        for name in path.components[depth...] {
            spread(below: EntryPath(components: Array(path.components.prefix(depth))))
            depth += 1
            let name = TreeName(name)
            try makeImplied(name, in: directory.fd)
            if !options.identities.isEmpty {
                let root = options.identities.root
                try name.setOwner(in: directory.fd, uid: root.uid, gid: root.gid)
            }
            if !options.lowers.isEmpty {
                let part = EntryPath(components: Array(path.components.prefix(depth)))
                try copyLowerAttributes(part, name, in: directory.fd)
            }
            directory = OwnedBox(try name.open(in: directory.fd, O_PATH | O_DIRECTORY))
        }
        return directory
    }

    /// The longest part of the path that there is, and its number of components.
    private func openExisting(_ path: EntryPath) throws -> (OwnedBox, depth: Int) {
        var found = (OwnedBox(try open(EntryPath(components: []))), depth: 0)
        var missing = path.components.count + 1
        while missing - found.depth > 1 {
            let middle = (missing + found.depth) / 2
            do throws(SysError) {
                found = (OwnedBox(try open(EntryPath(components: Array(path.components.prefix(middle))))), middle)
            } catch {
                guard [.noSuchFile, .notDirectory].contains(error.errno) else { throw error }
                missing = middle
            }
        }
        return found
    }

    /// Makes a directory that the archive has no entry for.
    private func makeImplied(_ name: TreeName, in parent: borrowing OwnedFD) throws {
        if let info = try name.status(in: parent) {
            // A whiteout gives way to the directory that the layer puts there; a dangling symbolic link does not.
            guard isWhiteoutDevice(info), options.whiteouts == .overlay else {
                throw SysError("openat2", name.display, .notDirectory)
            }
            try name.remove(in: parent, isDirectory: false)
            try name.makeDirectory(in: parent, mode: 0o755)
            try setOpaque(name, in: parent)
        } else {
            try name.makeDirectory(in: parent, mode: 0o755)
        }
    }

    /// Gives the hint for a directory in which another is about to be made, or takes it back.
    private func spread(below path: EntryPath, _ isWanted: Bool = true) {
        guard options.spreadsDirectories, let place = try? open(path),
            let directory = try? TreeName([UInt8(ascii: ".")]).open(in: place, O_RDONLY | O_DIRECTORY)
        else { return }
        if spreadSubdirectories(of: directory, isWanted), isWanted { spreading.append(path) }
    }

    private func setDirectoryTimes() throws {
        for (path, time) in directoryTimes.reversed() {
            guard !path.isRoot else {
                try TreeName([UInt8(ascii: ".")]).setModified(in: root, time.bounded)
                continue
            }
            let parent = try open(path.parent)
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

// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Tar

/// Writes the nodes of a tree into a tar stream: names, attributes and data of what is there now, even if it changes
/// meanwhile. An entry is never longer or shorter than its header says.
final class NodeWriter {
    private let sink: any ByteSink
    /// Files with several names, by the first of them.
    private var links: [FileIdentity: [UInt8]] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    /// How many entries were written.
    private(set) var count = 0

    /// What takes the place of the root in the names of entries; nil leaves it out.
    private let rootName: [UInt8]?

    /// The tree has the host's ids for those of this user namespace, which the archive has.
    private let identities: IdentityMap

    init(_ sink: any ByteSink, rootName: [UInt8]? = nil, identities: IdentityMap = IdentityMap()) {
        self.sink = sink
        self.rootName = rootName
        self.identities = identities
    }

    deinit { buffer.deallocate() }

    /// Writes the node `change` is about; sockets, which tar does not know, and what is gone are passed over.
    func write(_ change: TreeChange) throws {
        guard let info = change.info else { return try writeMarker(Self.whiteout(change.path)) }
        do { try write(change, info) } catch let error as SysError {
            guard Self.isReplacement(error) else { throw error }
            return
        }
        if change.isOpaque { try writeMarker(change.path + Array("/.wh..wh..opq".utf8)) }
    }

    /// Whether a node is gone, or is of another kind than a moment ago.
    private static func isReplacement(_ error: SysError) -> Bool {
        switch error.errno.rawValue {
        case ENOENT, ELOOP, ENOTDIR, ENXIO: true
        case EINVAL: error.operation == "readlinkat"
        default: false
        }
    }

    /// The end mark.
    func finish() throws { try sink.write(TarWriter.end) }

    private func write(_ change: TreeChange, _ info: stat) throws {
        let (name, parent) = (change.name, change.parent)
        switch info.st_mode & NodeType.mask {
        case NodeType.regular: try writeFile(change)
        case NodeType.directory: try put(entry(.directory, change, info))
        case NodeType.symbolicLink:
            var entry = try linkOr(.symbolicLink, change, info)
            if entry.kind == .symbolicLink { entry.linkTarget = try name.symbolicLinkTarget(in: parent.fd) }
            try put(entry)
        case NodeType.fifo: try put(linkOr(.fifo, change, info))
        case NodeType.characterDevice, NodeType.blockDevice:
            let isCharacter = info.st_mode & NodeType.mask == NodeType.characterDevice
            var entry = try linkOr(isCharacter ? .characterDevice : .blockDevice, change, info)
            entry.deviceMajor = swrun_major(info.st_rdev)
            entry.deviceMinor = swrun_minor(info.st_rdev)
            try put(entry)
        default: break
        }
    }

    /// O_NONBLOCK: a FIFO that takes the file's place at this moment must not hold us up.
    private func writeFile(_ change: TreeChange) throws {
        let file = try change.name.open(in: change.parent.fd, O_RDONLY | O_NONBLOCK)
        let info = try status(file)
        guard isRegularFile(info) else { return }
        var entry = try linkOr(.regular, change, info)
        guard entry.kind == .regular else { return try put(entry) }
        entry.size = Int64(info.st_size)
        try put(entry)
        try sink.write(file, count: entry.size, using: buffer)
        try sink.write(TarWriter.padding(entry.size))
    }

    private func put(_ entry: TarEntry) throws {
        count += 1
        try sink.write(TarWriter.header(entry))
    }

    private func writeMarker(_ path: [UInt8]) throws { try put(TarEntry(kind: .regular, path: path)) }

    /// `a/NAME` to `a/.wh.NAME`.
    private static func whiteout(_ path: [UInt8]) -> [UInt8] {
        let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return path[..<start] + Array(".wh.".utf8) + path[start...]
    }
}

// MARK: Entries

extension NodeWriter {
    /// A hard link if the file was written under another name before.
    private func linkOr(_ kind: TarEntry.Kind, _ change: TreeChange, _ info: stat) throws -> TarEntry {
        guard info.st_nlink > 1 else { return try entry(kind, change, info) }
        let file = FileIdentity(info)
        if let first = links[file] {
            var entry = attributes(.hardLink, named(change.path), info)
            entry.linkTarget = first
            return entry
        }
        links[file] = named(change.path)
        return try entry(kind, change, info)
    }

    private func entry(_ kind: TarEntry.Kind, _ change: TreeChange, _ info: stat) throws(SysError) -> TarEntry {
        var entry = attributes(kind, named(change.path), info)
        for name in try change.name.extendedAttributeNames(in: change.parent.fd) {
            let attribute = TarEntry.ExtendedAttribute(name: name, value: [])
            guard LayerApplier.isAllowed(attribute),
                let value = try change.name.extendedAttribute(name, in: change.parent.fd)
            else { continue }
            let isOwned = !identities.isEmpty && name == FileCapability.name
            entry.extendedAttributes.append(.init(name: name, value: isOwned ? FileCapability.unowned(value) : value))
        }
        return entry
    }

    /// The name of an entry in the archive.
    private func named(_ path: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        guard let rootName else { return path.isEmpty ? [UInt8(ascii: "."), slash] : path }
        if path.isEmpty { return rootName }
        return rootName + (rootName.last == slash ? [] : [slash]) + path
    }

    private func attributes(_ kind: TarEntry.Kind, _ path: [UInt8], _ info: stat) -> TarEntry {
        var entry = TarEntry(kind: kind, path: path)
        entry.mode = info.st_mode & 0o7777
        let owner = FileOwner(uid: info.st_uid, gid: info.st_gid)
        let inside = identities.inside(owner) ?? owner  // the host's own, of a container outside of the namespace
        (entry.uid, entry.gid) = (inside.uid, inside.gid)
        entry.modified = .init(seconds: Int64(info.st_mtim.tv_sec), nanoseconds: Int64(info.st_mtim.tv_nsec))
        return entry
    }
}

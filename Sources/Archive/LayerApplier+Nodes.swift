// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Tar

// Making single nodes and setting their attributes.
extension LayerApplier {
    func writeFile(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD, _ reader: TarReader) throws {
        let file = try name.open(in: parent, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        if let ranges = entry.dataRanges {
            try writeSparse(ranges, size: entry.size, file, reader)
        } else {
            try copyData(entry.size, at: 0, file, reader)
        }
    }

    private func writeSparse(
        _ ranges: [Range<Int64>], size: Int64, _ file: borrowing OwnedFD, _ reader: TarReader
    ) throws {
        let fd = file.raw
        try sys("ftruncate") { ftruncate(fd, off_t(size)) }
        for range in ranges {
            try copyData(range.upperBound - range.lowerBound, at: range.lowerBound, file, reader)
        }
    }

    private func copyData(_ count: Int64, at offset: Int64, _ file: borrowing OwnedFD, _ reader: TarReader) throws {
        var done: Int64 = 0
        while done < count {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(Int64(buffer.count), count - done))])
            let got = try reader.readData(into: room)
            guard got > 0 else { throw ArchiveError.truncated }
            try self.count(got)
            try writeData(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<got]), at: offset + done, file)
            done += Int64(got)
        }
    }

    private func writeData(_ bytes: UnsafeRawBufferPointer, at offset: Int64, _ file: borrowing OwnedFD) throws {
        let fd = file.raw
        var done = 0
        while done < bytes.count {
            done += try sys("pwrite") {
                pwrite(fd, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + off_t(done))
            }
        }
    }

    /// The target's parent is resolved inside the root; the target itself is not followed, and must be no directory.
    func makeHardLink(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD) throws {
        let target = try EntryPath(entry.linkTarget)
        guard !target.isRoot else {
            throw ArchiveError("tar entry \"\(entry.displayPath)\" is a hard link to the root")
        }
        if try target == EntryPath(entry.path) { return }
        let directory = try openDirectory(root, target.parent)
        try name.link(in: parent, to: TreeName(target.name), in: directory)
    }

    func makeSymbolicLink(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD) throws {
        let target = entry.linkTarget
        guard !target.isEmpty, target.count < 4096, !target.contains(0) else {
            throw ArchiveError("tar entry \"\(entry.displayPath)\" is a symbolic link with a bad target")
        }
        try name.makeSymbolicLink(in: parent, to: target)
    }

    func makeDevice(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD) throws {
        let kind = entry.kind == .characterDevice ? NodeType.characterDevice : NodeType.blockDevice
        try name.makeNode(in: parent, mode: kind | 0o600, major: entry.deviceMajor, minor: entry.deviceMinor)
    }

    /// Owner first, since chown clears set-id bits and file capabilities; time last, since all else changes it.
    func setAttributes(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD) throws {
        if options.preservesOwnership { try name.setOwner(in: parent, uid: entry.uid, gid: entry.gid) }
        if entry.kind != .symbolicLink { try name.setMode(in: parent, mode_t(entry.mode)) }
        for attribute in entry.extendedAttributes where Self.isAllowed(attribute) {
            try set(attribute, name, in: parent)
        }
        if entry.kind != .directory { try name.setModified(in: parent, entry.modified.bounded) }
    }

    /// Attributes that mean something inside a container. The overlay driver's own, labels of the host's security
    /// modules and other privileged ones never come from an image.
    static func isAllowed(_ attribute: TarEntry.ExtendedAttribute) -> Bool {
        let name = String(decoding: attribute.name, as: UTF8.self)
        if name.hasPrefix("user.overlay.") { return false }
        return name.hasPrefix("user.") || name == "security.capability" || name.hasPrefix("system.posix_acl_")
    }

    /// A file system or node that cannot hold an attribute goes without it; only a lost capability is an error.
    private func set(
        _ attribute: TarEntry.ExtendedAttribute, _ name: TreeName, in parent: borrowing OwnedFD
    ) throws(SysError) {
        do throws(SysError) { try name.setExtendedAttribute(in: parent, attribute) } catch {
            let isCapability = attribute.name == Array("security.capability".utf8)
            let isTolerable = error.errno == .notSupported || error.errno == .notPermitted
            guard isTolerable, !isCapability || !options.preservesOwnership else { throw error }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Tar

// Making single nodes and setting their attributes.
extension LayerApplier {
    /// Fills the new file, then gives it its attributes by way of the descriptor.
    func writeFile(
        _ entry: TarEntry, _ name: TreeName, _ file: borrowing OwnedFD, in parent: borrowing OwnedFD,
        _ reader: TarReader
    ) throws {
        if let ranges = entry.dataRanges {
            try writeSparse(ranges, size: entry.size, file, reader)
        } else {
            try copyData(entry.size, at: 0, file, reader)
        }
        let fd = file.raw
        let info = try status(file)
        let hasOwner = hasOwner(info, entry)
        if !hasOwner { try sys("fchown", name.display) { fchown(fd, entry.uid, entry.gid) } }
        if !hasOwner || !hasMode(info, entry) { try sys("fchmod", name.display) { fchmod(fd, mode_t(entry.mode)) } }
        try setExtendedAttributes(entry, name, in: parent)
        let time = entry.modified.bounded
        let stamp = timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
        let times = [stamp, stamp]
        try sys("futimens", name.display) { futimens(fd, times) }
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
        let directory = try open(target.parent)
        try name.link(in: parent, to: TreeName(target.name), in: directory)
    }

    /// Makes a symbolic link, a FIFO or a device.
    func makeNode(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD) throws {
        let mode = mode_t(entry.mode)
        switch entry.kind {
        case .characterDevice, .blockDevice:
            let kind = entry.kind == .characterDevice ? NodeType.characterDevice : NodeType.blockDevice
            try name.makeNode(in: parent, mode: kind | mode, major: entry.deviceMajor, minor: entry.deviceMinor)
        case .fifo: try name.makeNode(in: parent, mode: NodeType.fifo | mode)
        default: try makeSymbolicLink(entry, name, in: parent)
        }
    }

    private func makeSymbolicLink(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD) throws {
        let target = entry.linkTarget
        guard !target.isEmpty, target.count < 4096, !target.contains(0) else {
            throw ArchiveError("tar entry \"\(entry.displayPath)\" is a symbolic link with a bad target")
        }
        try name.makeSymbolicLink(in: parent, to: target)
    }

    /// Owner first, since chown clears set-id bits and file capabilities; time last, since all else changes it. What
    /// the node has already from being made is left alone: each change is a transaction of the file system.
    func setAttributes(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD) throws {
        guard let info = try name.status(in: parent) else { throw SysError("fstatat", name.display, .noSuchFile) }
        let hasOwner = hasOwner(info, entry)
        if !hasOwner { try name.setOwner(in: parent, uid: entry.uid, gid: entry.gid) }
        if entry.kind != .symbolicLink, !hasOwner || !hasMode(info, entry) {
            try name.setMode(in: parent, mode_t(entry.mode))
        }
        try setExtendedAttributes(entry, name, in: parent)
        if entry.kind != .directory { try name.setModified(in: parent, entry.modified.bounded) }
    }

    private func hasOwner(_ info: stat, _ entry: TarEntry) -> Bool {
        !options.preservesOwnership || (info.st_uid == entry.uid && info.st_gid == entry.gid)
    }

    private func hasMode(_ info: stat, _ entry: TarEntry) -> Bool { info.st_mode & 0o7777 == mode_t(entry.mode) }

    private func setExtendedAttributes(_ entry: TarEntry, _ name: TreeName, in parent: borrowing OwnedFD) throws {
        for var attribute in entry.extendedAttributes where Self.isAllowed(attribute) {
            if !options.identities.isEmpty, attribute.name == FileCapability.name {
                attribute.value = FileCapability.owned(by: options.identities.root.uid, attribute.value)
            }
            try set(attribute, name, in: parent)
        }
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
            let isCapability = attribute.name == FileCapability.name
            let isTolerable = error.errno == .notSupported || error.errno == .notPermitted
            guard isTolerable, !isCapability || !options.preservesOwnership else { throw error }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Tar

/// What an entry name says about layers below (image-spec layer.md "Whiteouts", and AUFS's own files).
enum Whiteout: Equatable {
    case none
    /// AUFS's bookkeeping: to be skipped.
    case metadata
    /// `.wh..wh..opq`: nothing of the directory below is to be seen.
    case opaque
    /// `.wh.NAME`: NAME below is not to be seen.
    case removal([UInt8])

    init(_ path: EntryPath) throws(ArchiveError) {
        let prefix = Array(".wh.".utf8)
        self = .none
        for component in path.components.dropLast() where component.starts(with: prefix) {
            // `.wh..wh.plnk/x` belongs to AUFS; anything else below a whiteout is a trap.
            guard component.starts(with: prefix + prefix) else {
                throw ArchiveError("tar entry \"\(path.display)\" lies below a whiteout")
            }
            self = .metadata
        }
        guard self == .none, path.name.starts(with: prefix) else { return }
        let name = Array(path.name.dropFirst(prefix.count))
        if name == Array(".wh..opq".utf8) {
            self = .opaque
        } else if name.starts(with: prefix) {
            self = .metadata
        } else if name.isEmpty || name == [0x2e] || name == [0x2e, 0x2e] {
            throw ArchiveError("invalid whiteout name \"\(path.display)\"")
        } else {
            self = .removal(name)
        }
    }
}

// Whiteouts in the upper directory of an overlay (kernel: Documentation/filesystems/overlayfs.rst).
extension LayerApplier {
    func makeOpaque(_ path: EntryPath) throws {
        guard options.whiteouts == .overlay else { return }
        let directory = try parentDirectory(path)
        try setOpaque(TreeName([UInt8(ascii: ".")]), in: directory.fd)
    }

    func setOpaque(_ name: TreeName, in parent: borrowing OwnedFD) throws(SysError) {
        guard options.whiteouts == .overlay else { return }
        try name.setExtendedAttribute(
            in: parent, .init(name: Array("trusted.overlay.opaque".utf8), value: [UInt8(ascii: "y")]))
    }

    /// A name that the same layer brings stays; if it is a directory, what lies below it is hidden.
    func makeWhiteout(_ bytes: [UInt8], _ entry: TarEntry, _ parent: EntryPath) throws {
        guard options.whiteouts == .overlay else { return }
        let directory = try parentDirectory(parent)
        let name = TreeName(bytes)
        if let info = try name.status(in: directory.fd) {
            if isDirectory(info) { try setOpaque(name, in: directory.fd) }
            return
        }
        try name.makeNode(in: directory.fd, mode: NodeType.characterDevice)
    }

    /// Gives a directory that the layer only implies the attributes it has in the layers below; without that it would
    /// appear with other rights in the merged tree.
    func copyLowerAttributes(_ path: EntryPath, _ name: TreeName, in parent: borrowing OwnedFD) throws(SysError) {
        for lower in options.lowers {
            let root = try LinuxSystem.open(lower, O_RDONLY | O_DIRECTORY)
            guard let directory = try? openDirectory(root, path) else { continue }
            let info = try status(directory)
            if options.preservesOwnership { try name.setOwner(in: parent, uid: info.st_uid, gid: info.st_gid) }
            return try name.setMode(in: parent, info.st_mode & 0o7777)
        }
    }
}

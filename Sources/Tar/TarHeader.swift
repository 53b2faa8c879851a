// SPDX-License-Identifier: Apache-2.0

/// The header block of a file together with the extensions that came before it.
struct TarHeader {
    let block: TarBlock
    let extended: PAXRecords
    let longName: [UInt8]?
    let longLink: [UInt8]?
    /// Bytes of data in the archive; known once `entry()` was called.
    private(set) var storedSize: Int64 = 0

    init(block: TarBlock, extended: PAXRecords, longName: [UInt8]?, longLink: [UInt8]?) {
        self.block = block
        self.extended = extended
        self.longName = longName
        self.longLink = longLink
    }

    var isOldGNUSparse: Bool { block.typeFlag == UInt8(ascii: "S") }

    mutating func entry() throws(ArchiveError) -> TarEntry {
        let path = extended.sparse.name ?? extended.path ?? longName ?? block.path
        var entry = TarEntry(kind: try kind(path), path: path)
        guard !path.isEmpty else { throw ArchiveError("invalid tar header: entry without a name") }
        entry.mode = UInt32(try block.number(100, 8) & 0o7777)
        entry.uid = try Self.id(number(extended.uid, 108, 8))
        entry.gid = try Self.id(number(extended.gid, 116, 8))
        entry.modified = TarEntry.Time(seconds: try number(extended.modified?.seconds, 136, 12))
        entry.modified.nanoseconds = extended.modified?.nanoseconds ?? 0
        entry.extendedAttributes = extended.extendedAttributes
        switch entry.kind {
        case .regular: try setSize(&entry)
        case .hardLink, .symbolicLink: entry.linkTarget = extended.linkPath ?? longLink ?? block.text(157, 100)
        case .characterDevice, .blockDevice: try setDevice(&entry)
        case .directory, .fifo: break
        }
        return entry
    }

    private mutating func setSize(_ entry: inout TarEntry) throws(ArchiveError) {
        storedSize = try number(extended.size, 124, 12)
        guard storedSize >= 0, storedSize <= Int64.max - 1024 else {
            throw ArchiveError("invalid tar header: bad size")
        }
        entry.size = storedSize
        if isOldGNUSparse { entry.size = try block.number(483, 12) }
        if let size = extended.sparse.realSize { entry.size = size }
        guard entry.size >= 0 else { throw ArchiveError("invalid tar header: bad size") }
    }

    /// The extension's number, or else the block's.
    private func number(_ extended: Int64?, _ offset: Int, _ length: Int) throws(ArchiveError) -> Int64 {
        if let extended { return extended }
        return try block.number(offset, length)
    }

    private func setDevice(_ entry: inout TarEntry) throws(ArchiveError) {
        let major = try block.number(329, 8)
        let minor = try block.number(337, 8)
        guard (0...0xfff).contains(major), (0...0xfffff).contains(minor) else {
            throw ArchiveError("invalid tar header: bad device number")
        }
        entry.deviceMajor = UInt32(major)
        entry.deviceMinor = UInt32(minor)
    }

    private func kind(_ path: [UInt8]) throws(ArchiveError) -> TarEntry.Kind {
        switch block.typeFlag {
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
            // In the format of 1979 a directory is a file whose name ends in a slash.
            path.last == UInt8(ascii: "/") ? .directory : .regular
        case UInt8(ascii: "S"): .regular
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"): .directory
        case UInt8(ascii: "6"): .fifo
        default: throw ArchiveError("unhandled tar header type \(block.typeFlag)")
        }
    }

    /// -1 means "leave unchanged" to chown(2), so the largest id is one less.
    private static func id(_ value: Int64) throws(ArchiveError) -> UInt32 {
        guard value >= 0, value < Int64(UInt32.max) else {
            throw ArchiveError("tar entry has owner \(value), out of range")
        }
        return UInt32(value)
    }
}

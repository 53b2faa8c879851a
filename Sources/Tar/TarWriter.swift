// SPDX-License-Identifier: Apache-2.0

/// Makes the headers of a tar archive (POSIX.1-2017 pax: "ustar Interchange Format", and "pax Header Block" for what
/// ustar has no room for). The same entry always gives the same bytes.
///
/// An archive is, for each file, `header`, its `size` bytes of data and `padding`; and `end` once.
package enum TarWriter {
    /// What an archive is a multiple of.
    package static let blockSize = 512

    /// Two empty blocks end an archive.
    package static let end = [UInt8](repeating: 0, count: 2 * blockSize)

    /// What fills the last block of a file of `size` bytes.
    package static func padding(_ size: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((Int64(blockSize) - size % Int64(blockSize)) % Int64(blockSize)))
    }

    /// All blocks that come before the data of `entry`, which for anything but a regular file has none. A directory's
    /// name ends in a slash; holes (`dataRanges`) are not written as such: the data that follows is the whole file.
    package static func header(_ entry: TarEntry) -> [UInt8] {
        var path = entry.path
        if entry.kind == .directory, path.last != slash { path.append(slash) }
        var block = HeaderBlock()
        var records = RecordList()
        block.setPath(path, &records)
        block.setLink(entry.linkTarget, &records)
        block.set(Int64(entry.mode & 0o7777), at: 100, digits: 7)
        block.set(entry.kind == .regular ? entry.size : 0, at: 124, digits: 11, "size", &records)
        block.set(Int64(entry.uid), at: 108, digits: 7, "uid", &records)
        block.set(Int64(entry.gid), at: 116, digits: 7, "gid", &records)
        block.setTime(entry.modified, &records)
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            block.set(Int64(entry.deviceMajor), at: 329, digits: 7)
            block.set(Int64(entry.deviceMinor), at: 337, digits: 7)
        }
        records.add(entry.extendedAttributes)
        let prefix = records.bytes.isEmpty ? [] : extendedHeader(records.bytes, path)
        return prefix + block.sealed(entry.kind.typeFlag)
    }

    /// The header of a directory that belongs to root, with no time: the same name always gives the same bytes.
    package static func directory(_ name: String) -> [UInt8] {
        var entry = TarEntry(kind: .directory, path: Array(name.utf8))
        entry.mode = 0o755
        return header(entry)
    }

    /// The header of a file, likewise.
    package static func fileHeader(_ name: String, size: Int64) -> [UInt8] {
        var entry = TarEntry(kind: .regular, path: Array(name.utf8))
        (entry.mode, entry.size) = (0o644, size)
        return header(entry)
    }

    /// A whole file, likewise.
    package static func file(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        fileHeader(name, size: Int64(bytes.count)) + bytes + padding(Int64(bytes.count))
    }

    static let slash = UInt8(ascii: "/")

    /// The block of kind `x` with its records, padded.
    private static func extendedHeader(_ records: [UInt8], _ path: [UInt8]) -> [UInt8] {
        var block = HeaderBlock()
        block.put(Array("PaxHeaders/".utf8) + path.filter { $0 != slash }.suffix(80), at: 0)
        block.set(0o644, at: 100, digits: 7)
        block.set(0, at: 108, digits: 7)
        block.set(0, at: 116, digits: 7)
        block.set(Int64(records.count), at: 124, digits: 11)
        block.set(0, at: 136, digits: 11)
        return block.sealed(UInt8(ascii: "x")) + records + padding(Int64(records.count))
    }
}

/// Records of an extended header: `length key=value\n`, where the length counts itself.
private struct RecordList {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ key: String, _ value: [UInt8]) { add(Array(key.utf8), value) }

    private mutating func add(_ key: [UInt8], _ value: [UInt8]) {
        let rest = [UInt8(ascii: " ")] + key + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
        bytes += Array(String(length).utf8) + rest
    }

    /// In the order of their names. A name with `=` in it cannot be told from its value, and is left out.
    mutating func add(_ attributes: [TarEntry.ExtendedAttribute]) {
        for attribute in attributes.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) })
        where !attribute.name.contains(UInt8(ascii: "=")) {
            add(Array("SCHILY.xattr.".utf8) + attribute.name, attribute.value)
        }
    }
}

/// A header block that is being filled in.
private struct HeaderBlock {
    private var bytes = [UInt8](repeating: 0, count: TarWriter.blockSize)

    mutating func put(_ text: [UInt8], at offset: Int) {
        bytes.replaceSubrange(offset..<(offset + text.count), with: text)
    }

    /// The name, split at a slash if that makes it fit.
    mutating func setPath(_ path: [UInt8], _ records: inout RecordList) {
        if path.count <= 100 { return put(path, at: 0) }
        let split = path.indices.dropFirst().first { path[$0] == TarWriter.slash && path.count - $0 - 1 <= 100 }
        if let split, split <= 155, split < path.count - 1 {
            put(Array(path[(split + 1)...]), at: 0)
            put(Array(path[..<split]), at: 345)
        } else {
            put(Array(path.prefix(100)), at: 0)
            records.add("path", path)
        }
    }

    mutating func setLink(_ target: [UInt8], _ records: inout RecordList) {
        put(Array(target.prefix(100)), at: 157)
        if target.count > 100 { records.add("linkpath", target) }
    }

    /// Octal digits; a number that does not fit becomes a record instead.
    mutating func set(_ value: Int64, at offset: Int, digits: Int, _ key: String, _ records: inout RecordList) {
        let fits = value >= 0 && value < 1 << (3 * Int64(digits))
        set(fits ? value : 0, at: offset, digits: digits)
        if !fits { records.add(key, Array(String(value).utf8)) }
    }

    mutating func set(_ value: Int64, at offset: Int, digits: Int) {
        let text = Array(String(value, radix: 8).utf8)
        put([UInt8](repeating: UInt8(ascii: "0"), count: max(0, digits - text.count)) + text, at: offset)
    }

    mutating func setTime(_ time: TarEntry.Time, _ records: inout RecordList) {
        let fits = time.seconds >= 0 && time.seconds < 1 << 33
        set(fits ? time.seconds : 0, at: 136, digits: 11)
        if !fits || time.nanoseconds != 0 { records.add("mtime", Array(time.decimal.utf8)) }
    }

    /// The block with its type and its checksum, which counts its own field as spaces.
    func sealed(_ typeFlag: UInt8) -> [UInt8] {
        var block = self
        block.bytes[156] = typeFlag
        block.put(Array("ustar\0".utf8) + Array("00".utf8), at: 257)
        block.put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        block.set(block.bytes.reduce(0) { $0 + Int64($1) }, at: 148, digits: 6)
        block.bytes[154] = 0
        return block.bytes
    }
}

extension TarEntry.Time {
    /// Seconds with a fraction; before 1970 the fraction counts away from zero, as the whole number does.
    fileprivate var decimal: String {
        var (whole, fraction) = (seconds, nanoseconds)
        if whole < 0, fraction > 0 { (whole, fraction) = (whole + 1, 1_000_000_000 - fraction) }
        let sign = whole == 0 && seconds < 0 ? "-" : ""
        guard fraction > 0 else { return String(whole) }
        var digits = String(fraction)
        digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return sign + String(whole) + "." + digits
    }
}

extension TarEntry.Kind {
    /// The letter of the header.
    fileprivate var typeFlag: UInt8 {
        switch self {
        case .regular: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symbolicLink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }
}

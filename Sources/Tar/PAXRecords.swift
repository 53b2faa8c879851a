// SPDX-License-Identifier: Apache-2.0

/// The records of a PAX extended header: lines of `length key=value\n` (POSIX.1-2017 pax, "pax Header Block").
struct PAXRecords {
    private(set) var path: [UInt8]?
    private(set) var linkPath: [UInt8]?
    private(set) var size: Int64?
    private(set) var uid: Int64?
    private(set) var gid: Int64?
    private(set) var modified: TarEntry.Time?
    private(set) var extendedAttributes: [TarEntry.ExtendedAttribute] = []
    private(set) var sparse = Sparse()

    /// GNU's keys for sparse files, versions 0.0, 0.1 and 1.0.
    struct Sparse {
        var major: Int64?
        var minor: Int64?
        var name: [UInt8]?
        var realSize: Int64?
        var numbers: [Int64] = []
        var hasMap = false
    }

    /// More than Linux lets a file have: the names of all may take 64 KiB (xattr(7)), a usual one has 16 bytes and more.
    static let maximumAttributes = 4096

    init() {}

    init(parsing bytes: [UInt8]) throws(ArchiveError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let (key, value) = try Self.record(&rest)
            try set(String(decoding: key, as: UTF8.self), Array(value))
        }
    }

    private static func record(
        _ rest: inout ArraySlice<UInt8>
    ) throws(ArchiveError) -> (key: ArraySlice<UInt8>, value: ArraySlice<UInt8>) {
        guard let space = rest.prefix(10).firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > 0, length <= rest.count
        else { throw malformed }
        let record = rest.prefix(length)
        rest = rest.dropFirst(length)
        guard record.last == UInt8(ascii: "\n"), space < record.endIndex - 1 else { throw malformed }
        let body = record[(space + 1)..<(record.endIndex - 1)]
        guard let equals = body.firstIndex(of: UInt8(ascii: "=")), equals > body.startIndex else { throw malformed }
        return (body[..<equals], body[(equals + 1)...])
    }

    private mutating func set(_ key: String, _ value: [UInt8]) throws(ArchiveError) {
        switch key {
        case "path": path = try Self.name(value)
        case "linkpath": linkPath = try Self.name(value)
        case "size": size = try Self.number(value)
        case "uid": uid = try Self.number(value)
        case "gid": gid = try Self.number(value)
        case "mtime": modified = try Self.time(value)
        case _ where key.hasPrefix("SCHILY.xattr."): try addAttribute(key, value)
        case _ where key.hasPrefix("GNU.sparse."): try setSparse(key, value)
        default: break
        }
    }

    private mutating func addAttribute(_ key: String, _ value: [UInt8]) throws(ArchiveError) {
        let name = Array(key.utf8.dropFirst("SCHILY.xattr.".utf8.count))
        guard !name.contains(0), name.count <= 255, value.count <= 65536 else {
            throw ArchiveError("invalid extended attribute in tar header")
        }
        extendedAttributes.removeAll { $0.name == name }
        guard extendedAttributes.count < Self.maximumAttributes else {
            throw ArchiveError("tar entry has more than \(Self.maximumAttributes) extended attributes")
        }
        extendedAttributes.append(.init(name: name, value: value))
    }

    private mutating func setSparse(_ key: String, _ value: [UInt8]) throws(ArchiveError) {
        switch key {
        case "GNU.sparse.major": sparse.major = try Self.number(value)
        case "GNU.sparse.minor": sparse.minor = try Self.number(value)
        case "GNU.sparse.name": sparse.name = try Self.name(value)
        case "GNU.sparse.realsize", "GNU.sparse.size": sparse.realSize = try Self.number(value)
        case "GNU.sparse.map":
            sparse.hasMap = true
            sparse.numbers = []
            for number in value.split(separator: UInt8(ascii: ",")) {
                sparse.numbers.append(try Self.number(Array(number)))
            }
        case "GNU.sparse.offset", "GNU.sparse.numbytes":
            sparse.hasMap = true
            sparse.numbers.append(try Self.number(value))
        default: break
        }
    }

    private static func name(_ value: [UInt8]) throws(ArchiveError) -> [UInt8] {
        guard !value.contains(0) else { throw malformed }
        return value
    }

    static func number(_ value: [UInt8]) throws(ArchiveError) -> Int64 {
        guard !value.isEmpty, value.count <= 20, value.first != UInt8(ascii: "+"),
            let number = Int64(String(decoding: value, as: UTF8.self))
        else { throw malformed }
        return number
    }

    /// Seconds with a decimal fraction of any length.
    private static func time(_ value: [UInt8]) throws(ArchiveError) -> TarEntry.Time {
        let parts = value.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first else { throw malformed }
        let seconds = try number(Array(whole))
        guard parts.count == 2 else { return .init(seconds: seconds) }
        guard parts[1].allSatisfy({ (48...57).contains($0) }) else { throw malformed }
        var digits = Array(parts[1].prefix(9))
        while digits.count < 9 { digits.append(UInt8(ascii: "0")) }
        var nanoseconds: Int64 = 0
        for digit in digits { nanoseconds = nanoseconds * 10 + Int64(digit - 48) }
        let isNegative = whole.first == UInt8(ascii: "-")
        if isNegative, nanoseconds > 0 {
            guard seconds > Int64.min else { throw malformed }
            return .init(seconds: seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds)
        }
        return .init(seconds: seconds, nanoseconds: nanoseconds)
    }

    private static let malformed = ArchiveError("invalid tar header: malformed PAX record")
}

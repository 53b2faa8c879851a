// SPDX-License-Identifier: Apache-2.0

/// Reads a tar archive that arrives in pieces.
package final class TarReader {
    private let next: () throws -> [UInt8]?
    private var buffer: [UInt8] = []
    private var position = 0
    private var left: Int64 = 0
    private var padding: Int64 = 0

    /// - Parameter next: the next bytes of the archive; nil at its end.
    package init(next: @escaping () throws -> [UInt8]?) {
        self.next = next
    }

    /// The next entry, after what was left of the one before; nil at the end.
    package func entry() throws -> TarHeader? {
        try skip(left + padding)
        var longName: String?
        var longLink: String?
        var pax: [(key: String, value: String)] = []
        while true {
            let block = try take(512)
            if block.isEmpty { return nil }
            guard var header = try TarHeader(block: block) else { return nil }
            let fill = (512 - header.size % 512) % 512
            switch header.kind {
            case UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "x"), UInt8(ascii: "g"):
                guard header.size < 1 << 20 else { throw CommandFailure("malformed tar archive: huge extension") }
                let bytes = try take(Int(header.size))
                try skip(fill)
                switch header.kind {
                case UInt8(ascii: "L"): longName = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                case UInt8(ascii: "K"): longLink = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                case UInt8(ascii: "x"): pax = TarReader.records(bytes)
                default: break
                }
            default:
                if let longName { header.name = longName }
                if let longLink { header.link = longLink }
                TarReader.apply(pax, to: &header)
                // Only files have content; links may carry the size of what they point to.
                let hasContent = header.kind == UInt8(ascii: "0") || header.kind == UInt8(ascii: "7")
                left = hasContent ? header.size : 0
                padding = hasContent ? (512 - header.size % 512) % 512 : 0
                return header
            }
        }
    }

    /// The next bytes of the present entry's content; nil at its end.
    package func content() throws -> [UInt8]? {
        if left == 0 { return nil }
        if position == buffer.count, try !fill() { throw CommandFailure("unexpected EOF in the tar archive") }
        let count = min(Int(min(left, 1 << 20)), buffer.count - position)
        defer { position += count }
        left -= Int64(count)
        return Array(buffer[position..<position + count])
    }

    /// `length key=value\n` records of pax.
    private static func records(_ bytes: [UInt8]) -> [(key: String, value: String)] {
        var records: [(key: String, value: String)] = []
        var rest = bytes[...]
        while let space = rest.firstIndex(of: 32),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
            length <= rest.count
        {
            let record = String(decoding: rest[(space + 1)..<(rest.startIndex + length - 1)], as: UTF8.self)
            if let (key, value) = record.cut("=") { records.append((key, value)) }
            rest = rest.dropFirst(length)
        }
        return records
    }

    private static func apply(_ records: [(key: String, value: String)], to header: inout TarHeader) {
        for (key, value) in records {
            switch key {
            case "path": header.name = value
            case "linkpath": header.link = value
            case "size": header.size = Int64(value) ?? header.size
            case "mtime": header.modified = Int64(value.cut(".")?.0 ?? value) ?? header.modified
            case "uid": header.user = Int64(value) ?? header.user
            case "gid": header.group = Int64(value) ?? header.group
            default: break
            }
        }
    }

    private func fill() throws -> Bool {
        guard let bytes = try next() else { return false }
        buffer = bytes
        position = 0
        return true
    }

    /// Exactly `count` bytes, or none at the end of the archive.
    private func take(_ count: Int) throws -> [UInt8] {
        var out: [UInt8] = []
        while out.count < count {
            if position == buffer.count, try !fill() {
                if out.isEmpty { return [] }
                throw CommandFailure("unexpected EOF in the tar archive")
            }
            let piece = min(count - out.count, buffer.count - position)
            out += buffer[position..<position + piece]
            position += piece
        }
        return out
    }

    private func skip(_ count: Int64) throws {
        left = 0
        padding = 0
        var rest = count
        while rest > 0 {
            if position == buffer.count, try !fill() { throw CommandFailure("unexpected EOF in the tar archive") }
            let piece = min(rest, Int64(buffer.count - position))
            position += Int(piece)
            rest -= piece
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Archive
import DockerAPI
import JSON
import LinuxSystem

/// Graylog's extended log format 1.1: JSON, over UDP compressed and in chunks, over TCP ended by a zero byte.
struct GELFDialect: LogDialect {
    private enum Packing {
        case none
        case gzip
        case zlib
    }

    /// The longest datagram, and what of it a chunk's head takes.
    private static let datagram = 1420
    private static let chunkHead = 12
    private static let mostChunks = 128

    let address: LogSocket.Address
    private let fields: [JSONValue.Member]
    private let packing: Packing

    init(_ info: LogInfo) throws(EngineError) {
        address = try Self.address(info.options["gelf-address"])
        packing =
            switch info.options["gelf-compression-type"] {
            case "none": .none
            case "zlib": .zlib
            default: .gzip
            }
        var fields: [(String, String)] = [
            ("_container_id", info.id), ("_container_name", info.name), ("_image_id", info.imageID),
            ("_image_name", info.imageName), ("_command", info.command), ("_tag", try info.tag(default: "{{.ID}}")),
            ("_created", info.created.rfc3339()),
        ]
        for (key, value) in try info.attributes() { fields.append((key.hasPrefix("_") ? key : "_" + key, value)) }
        self.fields = fields.map { JSONValue.Member($0.0, .string($0.1)) }
    }

    static func address(_ text: String) throws(EngineError) -> LogSocket.Address {
        guard text.hasPrefix("tcp://") || text.hasPrefix("udp://") else {
            throw .invalidArgument("gelf: endpoint needs to be TCP or UDP")
        }
        guard let address = LogSocket.Address(text, schemes: ["tcp", "udp"], defaultPort: nil) else {
            throw .invalidArgument("gelf: please provide gelf-address as proto://host:port")
        }
        return address
    }

    func messages(_ line: LogLine) throws -> [[UInt8]] {
        let milliseconds = line.time.nanoseconds / 1_000_000
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        var json: JSONValue = [
            "version": "1.1", "host": .string(MachineFacts().hostname),
            "short_message": .string(String(decoding: line.content, as: UTF8.self)),
            "timestamp": .number(text: "\(milliseconds / 1000).\(fraction)"),
            "level": .int(line.stream == .stderr ? 3 : 6),
        ]
        for field in fields { json.set(field.key, field.value) }
        let bytes = json.bytes()
        if address.scheme == "tcp" { return [bytes + [0]] }
        return Self.chunks(try pack(bytes))
    }

    private func pack(_ bytes: [UInt8]) throws -> [UInt8] {
        switch packing {
        case .none: return bytes
        case .zlib: return Self.zlib(bytes)
        case .gzip:
            var packed: [UInt8] = []
            let sink = try compressing(.gzip, into: FunctionSink { packed += Array($0) })
            try sink.write(bytes)
            try sink.finish()
            return packed
        }
    }

    /// RFC 1950 around stored blocks (RFC 1951 §3.2.4): valid zlib, for receivers that insist on it.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x78, 0x01]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(65535)
            rest = rest.dropFirst(block.count)
            let length = UInt16(block.count)
            result += [rest.isEmpty ? 1 : 0, UInt8(truncatingIfNeeded: length), UInt8(length >> 8)]
            result += [UInt8(truncatingIfNeeded: ~length), UInt8(~length >> 8)]
            result += block
        } while !rest.isEmpty
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        let sum = high << 16 | low
        return result + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }

    /// Nothing, if it is too long even for chunks.
    static func chunks(_ bytes: [UInt8]) -> [[UInt8]] {
        if bytes.count <= datagram { return [bytes] }
        let room = datagram - chunkHead
        let count = (bytes.count + room - 1) / room
        guard count <= mostChunks else { return [] }
        let id = UInt64.random(in: .min ... .max)
        let head: [UInt8] = [0x1e, 0x0f] + (0..<8).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) }
        return (0..<count).map { number in
            head + [UInt8(number), UInt8(count)] + bytes[(number * room)..<min(bytes.count, (number + 1) * room)]
        }
    }
}

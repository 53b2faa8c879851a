// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem

/// Fluentd's forward protocol, one message for each line: the msgpack array `[tag, time, record, options]`.
struct FluentdDialect: LogDialect {
    let address: LogSocket.Address
    private let tag: String
    private let fields: [(key: String, value: String)]
    private let hasSubseconds: Bool
    /// `fluentd-request-ack`: the receiver confirms each message by its number.
    private let wantsAnswers: Bool

    init(_ info: LogInfo) throws(EngineError) {
        address = try Self.address(info.options["fluentd-address"])
        tag = try info.tag(default: "{{.ID}}")
        hasSubseconds = LogOptions.bool(info.options["fluentd-sub-second-precision"]) ?? false
        wantsAnswers = LogOptions.bool(info.options["fluentd-request-ack"]) ?? false
        fields = [("container_id", info.id), ("container_name", "/" + info.name)] + (try info.attributes())
    }

    static func address(_ text: String) throws(EngineError) -> LogSocket.Address {
        if text.isEmpty { return LogSocket.Address(scheme: "tcp", place: "127.0.0.1", port: 24224) }
        let full = text.contains("://") ? text : "tcp://" + text
        guard let address = LogSocket.Address(full, schemes: ["tcp", "unix"], defaultPort: 24224) else {
            throw .invalidArgument(
                "invalid fluentd-address (\(text)): parse \"\(full)\": expected tcp://host:port or unix:///path")
        }
        return address
    }

    func messages(_ line: LogLine) -> [[UInt8]] {
        var record = fields.map { (Array($0.key.utf8), Array($0.value.utf8)[...]) }
        record.append((Array("source".utf8), Array((line.stream == .stderr ? "stderr" : "stdout").utf8)[...]))
        record.append((Array("log".utf8), line.content))
        if line.isPartial { record.append((Array("partial_message".utf8), Array("true".utf8)[...])) }
        var pack = MessagePack()
        pack.beginArray(4)
        pack.append(string: Array(tag.utf8)[...])
        pack.append(time: line.time, hasSubseconds: hasSubseconds)
        pack.beginMap(record.count)
        for (key, value) in record {
            pack.append(string: key[...])
            pack.append(string: value)
        }
        pack.beginMap(wantsAnswers ? 1 : 0)
        if wantsAnswers {
            pack.append(string: Array("chunk".utf8)[...])
            pack.append(string: Array(Self.newChunk().utf8)[...])
        }
        return [pack.bytes]
    }

    /// 128 random bits in base64, of which hexadecimal digits are a part.
    private static func newChunk() -> String { String(randomIdentifier().prefix(chunkLength - 3)) + "A==" }

    private static let chunkLength = 24

    /// `{"ack": chunk}`; the chunk is what a message ends with.
    func answer(to message: [UInt8]) -> [UInt8]? {
        guard wantsAnswers else { return nil }
        var pack = MessagePack()
        pack.beginMap(1)
        pack.append(string: Array("ack".utf8)[...])
        pack.append(string: message.suffix(Self.chunkLength))
        return pack.bytes
    }
}

/// As much of msgpack's writing as the forward protocol needs.
struct MessagePack {
    private(set) var bytes: [UInt8] = []

    mutating func beginArray(_ count: Int) { begin(count, short: 0x90, 0xdc) }

    mutating func beginMap(_ count: Int) { begin(count, short: 0x80, 0xde) }

    private mutating func begin(_ count: Int, short: UInt8, _ long: UInt8) {
        if count < 16 { return bytes.append(short | UInt8(count)) }
        bytes.append(long)
        append(UInt64(count), bytes: 2)
    }

    mutating func append(string: ArraySlice<UInt8>) {
        switch string.count {
        case ..<32: bytes.append(0xa0 | UInt8(string.count))
        case ..<256: bytes += [0xd9, UInt8(string.count)]
        case ..<65536:
            bytes.append(0xda)
            append(UInt64(string.count), bytes: 2)
        default:
            bytes.append(0xdb)
            append(UInt64(string.count), bytes: 4)
        }
        bytes += string
    }

    /// Whole seconds, or fluentd's EventTime (extension 0).
    mutating func append(time: Timestamp, hasSubseconds: Bool) {
        if hasSubseconds {
            bytes += [0xd7, 0x00]
            append(UInt64(UInt32(truncatingIfNeeded: time.seconds)), bytes: 4)
            append(UInt64(time.subsecond), bytes: 4)
        } else {
            bytes.append(0xd2)
            append(UInt64(UInt32(truncatingIfNeeded: time.seconds)), bytes: 4)
        }
    }

    private mutating func append(_ value: UInt64, bytes count: Int) {
        for index in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }
}

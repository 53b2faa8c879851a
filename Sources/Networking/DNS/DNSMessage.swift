// SPDX-License-Identifier: Apache-2.0
import Netlink

/// Types of records that we answer ourselves (RFC 1035 section 3.2.2, RFC 3596).
enum DNSRecordType {
    static let address: UInt16 = 1
    static let pointer: UInt16 = 12
    static let address6: UInt16 = 28
}

/// Response codes (RFC 1035 section 4.1.1).
enum DNSResponseCode: UInt8, Sendable {
    case noError = 0
    case formatError = 1
    case serverFailure = 2
    case refused = 5
}

/// A client's message with its one question (RFC 1035 section 4.1). Hostile input: it comes from containers.
struct DNSQuery: Sendable, Equatable {
    var id: UInt16
    /// The first byte of the flags: opcode and "recursion desired" come back in the answer.
    var flags: UInt8
    /// In lower case, without the final dot.
    var name: String
    var type: UInt16
    /// The question as it was asked: answers repeat it, and the case of its letters.
    var question: [UInt8]

    static let headerBytes = 12

    /// nil if it is no standard query with exactly one question of class IN whose name is not compressed.
    init?(_ message: some RandomAccessCollection<UInt8>) {
        let bytes = Array(message)
        guard bytes.count > Self.headerBytes, bytes[2] & 0xf8 == 0, Self.number(bytes, 4) == 1 else { return nil }
        var labels: [String] = []
        var position = Self.headerBytes
        while true {
            guard position < bytes.count else { return nil }
            let length = Int(bytes[position])
            position += 1
            if length == 0 { break }
            guard length < 64, position + length <= bytes.count, position - Self.headerBytes + length < 255 else {
                return nil
            }
            labels.append(Self.label(bytes[position..<position + length]))
            position += length
        }
        guard position + 4 <= bytes.count, Self.number(bytes, position + 2) == 1 else { return nil }
        id = Self.number(bytes, 0)
        flags = bytes[2]
        name = labels.joined(separator: ".")
        type = Self.number(bytes, position)
        question = Array(bytes[Self.headerBytes..<position + 4])
    }

    private static func number(_ bytes: [UInt8], _ at: Int) -> UInt16 { UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1]) }

    /// A dot within a label is no separator: such a name is none of ours.
    private static func label(_ bytes: ArraySlice<UInt8>) -> String {
        String(
            decoding: bytes.map { byte -> UInt8 in
                if byte == UInt8(ascii: ".") { return UInt8(ascii: "\\") }
                return (65...90).contains(byte) ? byte + 32 : byte
            }, as: UTF8.self)
    }

    /// The address that a name below in-addr.arpa or ip6.arpa (RFC 3596) stands for; nil for any other name.
    var reverseAddress: HostAddress? {
        if let parts = labels(below: ".in-addr.arpa") {
            return IPv4Address(parts.reversed().joined(separator: ".")).map(HostAddress.ipv4)
        }
        guard let digits = labels(below: ".ip6.arpa"), digits.count == 32, digits.allSatisfy({ $0.utf8.count == 1 })
        else { return nil }
        return UInt128(digits.reversed().joined(), radix: 16).map { .ipv6(IPv6Address(rawValue: $0)) }
    }

    private func labels(below suffix: String) -> [Substring]? {
        guard name.hasSuffix(suffix) else { return nil }
        return name.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false)
    }

    // MARK: Answers

    /// Seconds for which an answer may be kept: docker's.
    static let timeToLive: UInt32 = 600

    /// The answer without records.
    func answer(_ code: DNSResponseCode = .noError) -> [UInt8] { header(code, answers: 0) + question }

    /// - Parameter limit: the bytes that the client takes; what does not fit is left out, and the answer says so.
    func answer<Address: NetworkAddress>(addresses: [Address], limit: Int) -> [UInt8] {
        let length = Address.RawValue.bitWidth / 8
        let type = length == 4 ? DNSRecordType.address : DNSRecordType.address6
        let room = max(0, (limit - Self.headerBytes - question.count) / (12 + length))
        let fitting = addresses.prefix(room)
        var bytes = header(.noError, answers: fitting.count, isTruncated: fitting.count < addresses.count) + question
        for address in fitting { bytes += Self.record(type: type, data: address.bytes) }
        return bytes
    }

    /// The answer to a question for the name of an address.
    func answer(pointer name: String) -> [UInt8] {
        var data: [UInt8] = []
        for label in name.split(separator: ".") where label.utf8.count < 64 {
            data.append(UInt8(label.utf8.count))
            data += Array(label.utf8)
        }
        data.append(0)
        return header(.noError, answers: 1) + question + Self.record(type: DNSRecordType.pointer, data: data)
    }

    /// QR and RA set; the question's opcode and RD repeated.
    private func header(_ code: DNSResponseCode, answers: Int, isTruncated: Bool = false) -> [UInt8] {
        [
            UInt8(id >> 8), UInt8(truncatingIfNeeded: id), 0x80 | flags & 0x79 | (isTruncated ? 0x02 : 0),
            0x80 | code.rawValue, 0, 1, UInt8(answers >> 8), UInt8(truncatingIfNeeded: answers), 0, 0, 0, 0,
        ]
    }

    /// A record of class IN for the question's name, which is named by a pointer to it.
    private static func record(type: UInt16, data: [UInt8]) -> [UInt8] {
        let time = timeToLive
        return [0xc0, UInt8(headerBytes), UInt8(type >> 8), UInt8(truncatingIfNeeded: type), 0, 1]
            + [UInt8(time >> 24), UInt8(time >> 16 & 0xff), UInt8(time >> 8 & 0xff), UInt8(time & 0xff)]
            + [UInt8(data.count >> 8), UInt8(truncatingIfNeeded: data.count)] + data
    }
}

/// What the forwarding of messages needs to know of an answer.
enum DNSReply {
    /// Whether `reply` answers the message that was sent with `id`.
    static func isAnswer(_ reply: ArraySlice<UInt8>, id: UInt16) -> Bool {
        guard reply.count >= DNSQuery.headerBytes else { return false }
        let start = reply.startIndex
        return reply[start] == UInt8(id >> 8) && reply[start + 1] == UInt8(truncatingIfNeeded: id)
            && reply[start + 2] & 0x80 != 0
    }

    /// Whether another server should be asked: this one failed or refuses.
    static func isFailure(_ reply: ArraySlice<UInt8>) -> Bool {
        let code = reply[reply.startIndex + 3] & 0x0f
        return code == DNSResponseCode.serverFailure.rawValue || code == DNSResponseCode.refused.rawValue
    }

    /// The same message with another id.
    static func withID(_ id: UInt16, _ message: some Collection<UInt8>) -> [UInt8] {
        [UInt8(id >> 8), UInt8(truncatingIfNeeded: id)] + message.dropFirst(2)
    }
}

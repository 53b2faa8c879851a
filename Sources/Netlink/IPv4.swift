// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address.
package struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// In host order, so that addresses can be counted and compared.
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Parses exactly four decimal numbers ("192.168.0.1"); nil for anything else, leading zeros included, which other
    /// programs read as octal.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 48, let byte = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        rawValue = value
    }

    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 else { return nil }
        rawValue = bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    package static let any = IPv4Address(rawValue: 0)
    package static let loopback = IPv4Address(rawValue: 0x7f00_0001)

    /// In network order, as messages carry it.
    package var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: rawValue >> (24 - 8 * UInt32($0))) } }

    /// In 127.0.0.0/8.
    package var isLoopback: Bool { rawValue >> 24 == 127 }

    package var description: String { bytes.map(String.init).joined(separator: ".") }

    package static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.rawValue < right.rawValue }
}

/// A range of addresses with a common prefix, or an address together with its network's length (`10.0.0.7/24`).
package struct IPv4Prefix: Sendable, Hashable, CustomStringConvertible {
    package var address: IPv4Address
    /// 0 to 32.
    package let length: Int

    package init?(_ address: IPv4Address, length: Int) {
        guard (0...32).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// Parses CIDR notation; the host part is kept.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]), let length = Int(parts[1]),
            String(length) == parts[1]
        else { return nil }
        self.init(address, length: length)
    }

    package var mask: UInt32 { length == 0 ? 0 : UInt32.max << UInt32(32 - length) }
    package var first: IPv4Address { IPv4Address(rawValue: address.rawValue & mask) }
    package var last: IPv4Address { IPv4Address(rawValue: address.rawValue | ~mask) }

    /// The network alone: the host part is zero.
    package var network: IPv4Prefix {
        var copy = self
        copy.address = first
        return copy
    }

    package func contains(_ other: IPv4Address) -> Bool { other.rawValue & mask == address.rawValue & mask }

    package func overlaps(_ other: IPv4Prefix) -> Bool { first <= other.last && other.first <= last }

    package var description: String { "\(address)/\(length)" }
}

/// A six-byte link-layer address.
package struct MACAddress: Sendable, Hashable, CustomStringConvertible {
    package let bytes: [UInt8]

    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Parses `02:42:ac:11:00:02`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6 else { return nil }
        self.bytes = bytes
    }

    /// `02:42` and the address: locally administered, and the same after every restart, so that neighbours' ARP caches
    /// stay right.
    package init(for address: IPv4Address) { bytes = [0x02, 0x42] + address.bytes }

    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

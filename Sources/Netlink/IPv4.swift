// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address.
package struct IPv4Address: NetworkAddress {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// 169.254.0.0/16 (RFC 3927).
    package var isLinkLocal: Bool { rawValue >> 16 == 0xa9fe }

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

    /// In 127.0.0.0/8.
    package var isLoopback: Bool { rawValue >> 24 == 127 }

    package var description: String { bytes.map(String.init).joined(separator: ".") }
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

    /// Locally administered, for an interface that has no IPv4 address.
    package static func random() -> MACAddress {
        MACAddress(for: IPv4Address(rawValue: .random(in: 0...UInt32.max)))
    }

    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

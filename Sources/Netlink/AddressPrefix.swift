// SPDX-License-Identifier: Apache-2.0

/// An address of the network layer.
package protocol NetworkAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    associatedtype RawValue: FixedWidthInteger & UnsignedInteger & Sendable

    /// In host order, so that addresses can be counted and compared.
    var rawValue: RawValue { get set }

    init(rawValue: RawValue)

    /// Parses the usual text form; nil for anything else.
    init?(_ text: some StringProtocol)
}

extension NetworkAddress {
    /// In network order, as messages carry it.
    package var bytes: [UInt8] {
        stride(from: RawValue.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: rawValue >> $0) }
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

package typealias IPv4Prefix = AddressPrefix<IPv4Address>
package typealias IPv6Prefix = AddressPrefix<IPv6Address>

/// A range of addresses with a common prefix, or an address together with its network's length (`10.0.0.7/24`,
/// `fd00::7/64`).
package struct AddressPrefix<Address: NetworkAddress>: Sendable, Hashable, CustomStringConvertible {
    package var address: Address
    /// 0 to 32 for IPv4, to 128 for IPv6.
    package let length: Int

    package init?(_ address: Address, length: Int) {
        guard (0...Address.RawValue.bitWidth).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// Parses CIDR notation; the host part is kept.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = Address(parts[0]), let length = Int(parts[1]), String(length) == parts[1]
        else { return nil }
        self.init(address, length: length)
    }

    package var mask: Address.RawValue { .max << (Address.RawValue.bitWidth - length) }
    package var first: Address { Address(rawValue: address.rawValue & mask) }
    package var last: Address { Address(rawValue: address.rawValue | ~mask) }

    /// The network alone: the host part is zero.
    package var network: Self {
        var copy = self
        copy.address = first
        return copy
    }

    package func contains(_ other: Address) -> Bool { other.rawValue & mask == address.rawValue & mask }

    package func overlaps(_ other: Self) -> Bool { first <= other.last && other.first <= last }

    package var description: String { "\(address)/\(length)" }
}

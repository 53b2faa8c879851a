// SPDX-License-Identifier: Apache-2.0
package import Netlink

/// An address that a port is published on or leads to, of either family.
package enum HostAddress: Sendable, Hashable, CustomStringConvertible {
    case ipv4(IPv4Address)
    case ipv6(IPv6Address)

    /// Every IPv4 address of the host.
    package static let any = HostAddress.ipv4(.any)
    package static let loopback = HostAddress.ipv4(.loopback)
    /// Every IPv6 address of the host.
    package static let anyIPv6 = HostAddress.ipv6(IPv6Address(rawValue: 0))

    /// Parses either form; nil for anything else.
    package init?(_ text: String) {
        if let address = IPv4Address(text) {
            self = .ipv4(address)
        } else if let address = IPv6Address(text) {
            self = .ipv6(address)
        } else {
            return nil
        }
    }

    package var isIPv6: Bool { if case .ipv6 = self { true } else { false } }

    var isAny: Bool { self == .any || self == .anyIPv6 }

    package var description: String {
        switch self {
        case .ipv4(let address): address.description
        case .ipv6(let address): address.description
        }
    }

    /// With a port, as Go's net.JoinHostPort writes it.
    func with(port: UInt16) -> String { isIPv6 ? "[\(self)]:\(port)" : "\(self):\(port)" }
}

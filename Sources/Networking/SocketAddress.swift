// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Netlink

/// The address of a UDP or TCP socket, of either family.
struct SocketAddress: Sendable, Hashable {
    /// A `sockaddr_in` or `sockaddr_in6`.
    let bytes: [UInt8]
    let family: Int32

    init(_ address: IPv4Address, port: UInt16) {
        self.init(
            bytes: [UInt8(AF_INET), 0] + Self.bigEndian(port) + address.bytes + Self.zeros(8), family: AF_INET)
    }

    init(_ address: IPv6Address, port: UInt16) {
        self.init(
            bytes: [UInt8(AF_INET6), 0] + Self.bigEndian(port) + Self.zeros(4) + address.bytes + Self.zeros(4),
            family: AF_INET6)
    }

    init(_ address: HostAddress, port: UInt16) {
        switch address {
        case .ipv4(let address): self.init(address, port: port)
        case .ipv6(let address): self.init(address, port: port)
        }
    }

    /// A name server of resolv.conf(5): IPv4 or IPv6, without a scope.
    init?(nameserver text: String) {
        guard let address = HostAddress(text) else { return nil }
        self.init(address, port: 53)
    }

    /// What the kernel wrote for a socket of this family.
    init(bytes: [UInt8], family: Int32) {
        self.bytes = bytes
        self.family = family
    }

    private static func bigEndian(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)] }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Netlink

/// A descriptor that collections can hold: closed with its last owner.
final class SocketBox: Sendable {
    let fd: OwnedFD

    init(_ fd: consuming OwnedFD) { self.fd = fd }
}

/// The name server's two sockets in one container's network namespace.
struct ResolverSockets: Sendable {
    var datagrams: SocketBox
    var listener: SocketBox

    /// The address of the embedded name server in every container (docker's).
    static let address = IPv4Address(rawValue: 0x7f00_000b)

    /// Opens the sockets on ports of the kernel's choice and redirects port 53 to them, so that a name server of the
    /// container's own can have port 53 on every address. Runs on a thread that is in the container's namespace.
    static func open() throws(SysError) -> ResolverSockets {
        let datagrams = try bound(SOCK_DGRAM)
        let listener = try bound(SOCK_STREAM)
        let number = listener.raw
        try sys("listen") { listen(number, 64) }
        try redirect(udp: try port(datagrams), tcp: try port(listener))
        return ResolverSockets(datagrams: SocketBox(datagrams), listener: SocketBox(listener))
    }

    private static func bound(_ type: __socket_type) throws(SysError) -> OwnedFD {
        let flags = Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let fd = OwnedFD(owning: try sys("socket") { socket(AF_INET, flags, 0) })
        let number = fd.raw
        let place = SocketAddress(address, port: 0)
        try sys("bind", address.description) {
            place.withPointer { Glibc.bind(number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) }
        }
        return fd
    }

    private static func port(_ fd: borrowing OwnedFD) throws(SysError) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = fd.raw
        try sys("getsockname") {
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(number, __SOCKADDR_ARG(__sockaddr__: $0), &length)
                }
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func redirect(udp: UInt16, tcp: UInt16) throws(SysError) {
        do throws(NetworkError) {
            _ = try NFTables().run(
                """
                add table ip swrun_dns
                delete table ip swrun_dns
                table ip swrun_dns {
                  chain output {
                    type nat hook output priority -100; policy accept;
                    ip daddr \(address) udp dport 53 dnat to \(address):\(udp)
                    ip daddr \(address) tcp dport 53 dnat to \(address):\(tcp)
                  }
                }

                """)
        } catch {
            throw SysError("redirect port 53 to the name server (\(error.message))", "", .invalidArgument)
        }
    }
}

/// The address of a UDP or TCP socket, of either family.
struct SocketAddress: Sendable, Equatable {
    /// A `sockaddr_in` or `sockaddr_in6`.
    let bytes: [UInt8]
    let family: Int32

    init(_ address: IPv4Address, port: UInt16) {
        let port = [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
        self.init(bytes: [UInt8(AF_INET), 0] + port + address.bytes + Self.zeros(8), family: AF_INET)
    }

    /// A name server of resolv.conf(5): IPv4 or IPv6, without a scope.
    init?(nameserver text: String) {
        if let address = IPv4Address(text) {
            self.init(address, port: 53)
        } else {
            var address = in6_addr()
            guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
            let raw = withUnsafeBytes(of: &address) { Array($0) }
            self.init(bytes: [UInt8(AF_INET6), 0, 0, 53] + Self.zeros(4) + raw + Self.zeros(4), family: AF_INET6)
        }
    }

    private init(bytes: [UInt8], family: Int32) {
        self.bytes = bytes
        self.family = family
    }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return -1 }
            return base.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(buffer.count)) }
        }
    }
}

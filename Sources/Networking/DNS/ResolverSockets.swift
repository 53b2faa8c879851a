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

// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Netlink

/// The host ports in use by published ports. Each is held by a bound socket, so that no other program takes it and a
/// port that another program has is noticed. Where our rules redirect what arrives nothing is ever accepted; the others
/// are the proxy's.
final class PortReservations {
    /// Where a port is held.
    private struct Key: Hashable {
        var proto: PortProtocol
        var hostIP: HostAddress
        var hostPort: UInt16

        init(_ port: BoundPort) { (proto, hostIP, hostPort) = (port.proto, port.hostIP, port.hostPort) }
    }

    /// nil for a port that is in this table only.
    private var held: [Key: SocketBox?] = [:]
    private var nextEphemeral: UInt16 = ephemeral.lowerBound

    /// As docker's and Linux's default (ip_local_port_range).
    static let ephemeral: ClosedRange<UInt16> = 32768...60999

    /// Whether this host has IPv6 at all.
    lazy var hasIPv6 = (try? Self.bind(SocketAddress(HostAddress.anyIPv6, port: 0), isTCP: true)) != nil

    /// Takes the first port of those that the mapping allows that is free on all these addresses.
    func reserve(_ mapping: PortMapping, on hosts: [HostAddress]) throws(NetworkError) -> [BoundPort] {
        guard let range = mapping.hostPorts else { return try reserveEphemeral(mapping, hosts) }
        var failure = NetworkError(.conflict, "no port is allowed")
        for port in range {
            do throws(NetworkError) { return try reserve(mapping, hosts, port) } catch { failure = error }
        }
        throw failure
    }

    private func reserve(
        _ mapping: PortMapping, _ hosts: [HostAddress], _ port: UInt16
    ) throws(NetworkError) -> [BoundPort] {
        var bound: [BoundPort] = []
        do throws(NetworkError) {
            for host in hosts {
                let next = BoundPort(
                    containerPort: mapping.containerPort, proto: mapping.proto, hostIP: host, hostPort: port)
                try hold(next)
                bound.append(next)
            }
            return bound
        } catch {
            for port in bound { release(port) }
            throw error
        }
    }

    /// Holds exactly this port, e.g. for a container that survived the daemon's restart.
    func hold(_ port: BoundPort) throws(NetworkError) {
        if port.hostPort == 0 { return }
        let key = Key(port)
        guard !conflicts(key) else {
            throw NetworkError(
                .internal, "Bind for \(key.hostIP):\(key.hostPort) failed: port is already allocated")
        }
        // SCTP's sockets need a kernel module: rely on our own table.
        guard port.proto != .sctp else {
            held[key] = .some(nil)
            return
        }
        do throws(SysError) {
            held[key] = try Self.bind(SocketAddress(port.hostIP, port: port.hostPort), isTCP: port.proto == .tcp)
        } catch {
            let place = "\(key.hostIP.with(port: key.hostPort))/\(key.proto.rawValue)"
            throw NetworkError(.internal, "failed to bind host port \(place): \(error.errno.text)")
        }
    }

    func release(_ port: BoundPort) { held[Key(port)] = nil }

    /// The socket that holds a port.
    func socket(_ port: BoundPort) -> SocketBox? { held[Key(port)] ?? nil }

    /// The same port on the same address, or on any address of the family.
    private func conflicts(_ key: Key) -> Bool {
        held.keys.contains { other in
            other.proto == key.proto && other.hostPort == key.hostPort && other.hostIP.isIPv6 == key.hostIP.isIPv6
                && (other.hostIP == key.hostIP || other.hostIP.isAny || key.hostIP.isAny)
        }
    }

    private func reserveEphemeral(
        _ mapping: PortMapping, _ hosts: [HostAddress]
    ) throws(NetworkError) -> [BoundPort] {
        for _ in Self.ephemeral {
            let port = nextEphemeral
            nextEphemeral = port == Self.ephemeral.upperBound ? Self.ephemeral.lowerBound : port + 1
            if let bound = try? reserve(mapping, hosts, port) { return bound }
        }
        throw NetworkError(.internal, "all ports of the ephemeral range are in use")
    }

    private static func bind(_ address: SocketAddress, isTCP: Bool) throws(SysError) -> SocketBox {
        let type = isTCP ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
        let flags = Int32(type | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let fd = OwnedFD(owning: try sys("socket") { Glibc.socket(address.family, flags, 0) })
        let number = fd.raw
        // Old connections in TIME_WAIT must not be in the way; listening then keeps others out all the same.
        if isTCP { set(number, SOL_SOCKET, SO_REUSEADDR) }
        // The IPv4 port of the same number is held by a socket of its own.
        if address.family == AF_INET6 { set(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
        try sys("bind") { address.withPointer { Glibc.bind(number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
        if isTCP { try sys("listen") { listen(number, 128) } }
        return SocketBox(fd)
    }

    private static func set(_ number: CInt, _ level: CInt, _ option: CInt) {
        var on: Int32 = 1
        _ = setsockopt(number, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }
}

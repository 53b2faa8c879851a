// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Netlink

/// The host ports in use by published ports. Each is held by a bound socket, so that no other program takes it and a
/// port that another program has is noticed; nothing is ever accepted on it, since our rules redirect what arrives.
final class PortReservations {
    /// Where a port is held.
    struct Key: Hashable {
        var proto: PortProtocol
        var hostIP: IPv4Address
        var hostPort: UInt16
    }

    private final class Holder {
        let socket: OwnedFD?
        init(_ socket: consuming OwnedFD?) { self.socket = socket }
    }

    private var held: [Key: Holder] = [:]
    private var nextEphemeral: UInt16 = ephemeral.lowerBound

    /// As docker's and Linux's default (ip_local_port_range).
    static let ephemeral: ClosedRange<UInt16> = 32768...60999

    /// Takes the first free port of those that the mapping allows.
    func reserve(_ mapping: PortMapping) throws(NetworkError) -> BoundPort {
        guard let range = mapping.hostPorts else { return try reserveEphemeral(mapping) }
        var failure = NetworkError(.conflict, "no port is allowed")
        for port in range {
            do throws(NetworkError) { return try reserve(mapping, port) } catch { failure = error }
        }
        throw failure
    }

    /// Holds exactly this port, e.g. for a container that survived the daemon's restart.
    @discardableResult
    func reserve(_ mapping: PortMapping, _ port: UInt16) throws(NetworkError) -> BoundPort {
        let key = Key(proto: mapping.proto, hostIP: mapping.hostIP, hostPort: port)
        guard !conflicts(key) else {
            throw NetworkError(.internal, "Bind for \(key.hostIP):\(port) failed: port is already allocated")
        }
        do throws(SysError) { held[key] = Holder(try bind(key)) } catch {
            let place = "\(key.hostIP):\(port)/\(key.proto.rawValue)"
            throw NetworkError(.internal, "failed to bind host port \(place): \(error.errno.text)")
        }
        return BoundPort(
            containerPort: mapping.containerPort, proto: mapping.proto, hostIP: mapping.hostIP, hostPort: port)
    }

    func release(_ port: BoundPort) {
        held[Key(proto: port.proto, hostIP: port.hostIP, hostPort: port.hostPort)] = nil
    }

    /// The same port on the same address, or on any address.
    private func conflicts(_ key: Key) -> Bool {
        held.keys.contains { other in
            other.proto == key.proto && other.hostPort == key.hostPort
                && (other.hostIP == key.hostIP || other.hostIP == .any || key.hostIP == .any)
        }
    }

    private func reserveEphemeral(_ mapping: PortMapping) throws(NetworkError) -> BoundPort {
        for _ in Self.ephemeral {
            let port = nextEphemeral
            nextEphemeral = port == Self.ephemeral.upperBound ? Self.ephemeral.lowerBound : port + 1
            if let bound = try? reserve(mapping, port) { return bound }
        }
        throw NetworkError(.internal, "all ports of the ephemeral range are in use")
    }

    private func bind(_ key: Key) throws(SysError) -> OwnedFD? {
        guard key.proto != .sctp else { return nil }  // its sockets need a kernel module: rely on our own table
        let isTCP = key.proto == .tcp
        let type = (isTCP ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue) | SOCK_CLOEXEC.rawValue
        let fd = OwnedFD(owning: try sys("socket") { socket(AF_INET, Int32(type), 0) })
        let number = fd.raw
        if isTCP {
            // Old connections in TIME_WAIT must not be in the way; listening then keeps others out all the same.
            var on: Int32 = 1
            _ = setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = key.hostPort.bigEndian
        address.sin_addr.s_addr = key.hostIP.rawValue.bigEndian
        try sys("bind") {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
                    return Glibc.bind(number, __CONST_SOCKADDR_ARG(__sockaddr__: plain), length)
                }
            }
        }
        if isTCP { try sys("listen") { listen(number, 1) } }
        return fd
    }
}

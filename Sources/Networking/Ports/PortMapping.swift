// SPDX-License-Identifier: Apache-2.0
/// The transport of a published port.
package enum PortProtocol: String, Sendable, Hashable, CaseIterable {
    case tcp
    case udp
    case sctp
}

/// A port of a container as a client asks to publish it: `-p [hostIP:][hostPort[-hostPortEnd]:]containerPort[/proto]`.
package struct PortMapping: Sendable, Equatable {
    package var containerPort: UInt16
    package var proto: PortProtocol
    /// nil publishes on every address of the host, of both families.
    package var hostIP: HostAddress?
    /// The host ports that will do, of which the first free one is taken; nil takes one from the ephemeral range.
    package var hostPorts: ClosedRange<UInt16>?

    package init(
        containerPort: UInt16, proto: PortProtocol = .tcp, hostIP: HostAddress? = nil,
        hostPorts: ClosedRange<UInt16>? = nil
    ) {
        self.containerPort = containerPort
        self.proto = proto
        self.hostIP = hostIP
        self.hostPorts = hostPorts
    }

    /// From an entry of docker's `HostConfig.PortBindings`: key `80/tcp`, HostIp (may be empty), HostPort (may be empty,
    /// a number or a range `8000-8010`).
    package init(binding key: String, hostIP: String, hostPort: String) throws(NetworkError) {
        let (port, proto) = try PortMapping.containerPort(key)
        let address = HostAddress(hostIP)
        guard hostIP.isEmpty || address != nil else {
            throw NetworkError(.invalidArgument, "invalid IP address: \(hostIP)")
        }
        self.init(containerPort: port, proto: proto, hostIP: address, hostPorts: try PortMapping.range(hostPort))
    }

    /// `80`, `80/tcp`, `53/udp`.
    package static func containerPort(_ text: String) throws(NetworkError) -> (UInt16, PortProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let port = UInt16(first), port > 0 else {
            throw NetworkError(.invalidArgument, "invalid port specification: \"\(text)\"")
        }
        let name = parts.count == 2 ? parts[1].lowercased() : "tcp"
        guard let proto = PortProtocol(rawValue: name) else {
            throw NetworkError(.invalidArgument, "invalid port specification: \"\(text)\"")
        }
        return (port, proto)
    }

    private static func range(_ text: String) throws(NetworkError) -> ClosedRange<UInt16>? {
        if text.isEmpty || text == "0" { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, let low = UInt16(parts[0]), let high = UInt16(parts[parts.count - 1]), low > 0,
            low <= high
        else { throw NetworkError(.invalidArgument, "invalid port specification: \"\(text)\"") }
        return low...high
    }
}

/// A published port in effect; with `hostPort` 0 one that is reached at the container's own address alone.
package struct BoundPort: Sendable, Equatable, Hashable {
    package var containerPort: UInt16
    package var proto: PortProtocol
    package var hostIP: HostAddress
    package var hostPort: UInt16

    package init(containerPort: UInt16, proto: PortProtocol, hostIP: HostAddress, hostPort: UInt16) {
        self.containerPort = containerPort
        self.proto = proto
        self.hostIP = hostIP
        self.hostPort = hostPort
    }

    /// `80/tcp`, the key of docker's port maps.
    package var key: String { "\(containerPort)/\(proto.rawValue)" }
}

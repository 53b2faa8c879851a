// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

/// How a network's containers and what lies beyond its bridge reach one another (`gateway_mode_ipv4`, `…_ipv6`).
enum GatewayMode: String, Sendable {
    /// Containers leave with the host's address; from outside, published ports alone can be reached.
    case nat
    /// The same, but who has a route to the containers reaches all their ports.
    case natUnprotected = "nat-unprotected"
    /// Addresses stay as they are; who has a route reaches the published ports, at the container's own address.
    case routed
    /// The bridge has no address of its own: not even the host reaches the containers.
    case isolated
}

/// What a network's maker says about its bridge (`-o com.docker.network.…`), as far as it changes anything.
struct BridgeOptions: Sendable, Equatable {
    /// Containers on it reach one another.
    var interContainer: Bool?
    /// What leaves it has the host's address.
    var masquerade: Bool?
    /// Where ports without an address are published; then on this address alone.
    var hostBinding: HostAddress?
    var mode = GatewayMode.nat
    var mode6 = GatewayMode.nat
    /// The bridge gets no IPv4 address, so that its maker may do without (`inhibit_ipv4`).
    var inhibitsIPv4 = false
    /// What leaves it has this address of the host instead of the one that the route gives (`host_ipv4`).
    var source: IPv4Address?
    var source6: IPv6Address?
    /// Links of the host from where published ports are reached at the container's own address, too.
    var trustedLinks: [String] = []
    /// What the containers' interfaces are called, before their number.
    var interfacePrefix = "eth"

    private static let prefix = "com.docker.network."
    private static let bridgePrefix = prefix + "bridge."

    /// Docker's words for what makes no sense.
    /// - Parameter isInternal: of the network; nothing else can be isolated.
    init(_ options: [String: String], isInternal: Bool) throws(NetworkError) {
        interContainer = try Self.flag(options, "enable_icc")
        masquerade = try Self.flag(options, "enable_ip_masquerade")
        inhibitsIPv4 = try Self.flag(options, "inhibit_ipv4") ?? false
        mode = try Self.mode(options, "gateway_mode_ipv4", isInternal: isInternal)
        mode6 = try Self.mode(options, "gateway_mode_ipv6", isInternal: isInternal)
        if let text = options[Self.bridgePrefix + "host_binding_ipv4"] {
            guard let address = HostAddress(text) else {
                throw Self.unreadable(Self.bridgePrefix + "host_binding_ipv4", text, "nil ip")
            }
            hostBinding = address == .any ? nil : address
        }
        source = try Self.address(options, "host_ipv4")
        source6 = try Self.address(options, "host_ipv6")
        try Self.checkAdvertisement(options)
        if let links = options[Self.bridgePrefix + "trusted_host_interfaces"] {
            trustedLinks = links.split(separator: ":").map { String($0) }
            guard trustedLinks.allSatisfy(LinkName.isValid) else {
                throw NetworkError(.invalidArgument, "invalid trusted_host_interfaces: \(links)")
            }
        }
        if let name = options[Self.prefix + "container_iface_prefix"], !name.isEmpty {
            guard LinkName.isValid(name + "0") else {
                throw NetworkError(.invalidArgument, "invalid interface name prefix: \(name)")
            }
            interfacePrefix = name
        }
    }

    private static func unreadable(_ name: String, _ value: String, _ why: String) -> NetworkError {
        NetworkError(.invalidArgument, "failed to parse \(name) value: \(value) (\(why))")
    }

    private static func address<Address: NetworkAddress>(
        _ options: [String: String], _ name: String
    ) throws(NetworkError) -> Address? {
        guard let text = options[prefix + name], !text.isEmpty else { return nil }
        guard let address = Address(text) else { throw unreadable(prefix + name, text, "nil ip") }
        return address
    }

    private static func mode(
        _ options: [String: String], _ name: String, isInternal: Bool
    ) throws(NetworkError) -> GatewayMode {
        let text = options[bridgePrefix + name] ?? ""
        guard let mode = text.isEmpty ? .nat : GatewayMode(rawValue: text) else {
            throw NetworkError(.invalidArgument, "unknown gateway mode \(text)")
        }
        guard mode != .isolated || isInternal else {
            throw NetworkError(.invalidArgument, "gateway mode 'isolated' can only be used for an internal network")
        }
        return mode
    }

    private static func flag(_ options: [String: String], _ name: String) throws(NetworkError) -> Bool? {
        guard let text = options[bridgePrefix + name] else { return nil }
        guard let flag = boolean(text) else {
            throw unreadable(bridgePrefix + name, text, "strconv.ParseBool: parsing \"\(text)\": invalid syntax")
        }
        return flag
    }

    /// What Go's strconv.ParseBool takes.
    static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// How often and at which intervals a new container tells its neighbours of itself: checked as docker does, and
    /// left to the kernel, which does it once.
    private static func checkAdvertisement(_ options: [String: String]) throws(NetworkError) {
        for (name, range, unit) in [
            ("advertise_addr_nmsgs", 0...3, "an integer"), ("advertise_addr_ms", 100...2000, "integer milliseconds"),
        ] {
            guard let text = options[prefix + name] else { continue }
            guard let value = Int(text) else {
                throw NetworkError(
                    .invalidArgument, "value for option \(prefix + name) \"\(text)\" must be \(unit)")
            }
            guard range.contains(value) else {
                throw NetworkError(
                    .invalidArgument,
                    "\(prefix + name) must be in the range \(range.lowerBound) to \(range.upperBound)")
            }
        }
    }
}

/// Names of network links.
enum LinkName {
    /// At most 15 characters (IFNAMSIZ), and of those that need no quoting anywhere.
    static func isValid(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }
}

extension NetworkRecord {
    /// None for the default network, which follows the daemon's settings: its options only show them.
    var bridgeOptions: BridgeOptions? {
        isPredefined || driver != "bridge" ? nil : try? BridgeOptions(options, isInternal: isInternal)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Netlink

/// What a network's maker says about its bridge (`-o com.docker.network.bridge.…`), as far as it changes anything.
struct BridgeOptions: Sendable, Equatable {
    /// Containers on it reach one another.
    var interContainer: Bool?
    /// What leaves it has the host's address.
    var masquerade: Bool?
    /// Where ports without an address are published; then on this address alone.
    var hostBinding: IPv4Address?
    /// The bridge has no address of its own: not even the host reaches the containers (`gateway_mode_ipv4=isolated`).
    var isIsolated = false

    private static let prefix = "com.docker.network.bridge."

    /// - Parameter isInternal: of the network; nothing else can be isolated.
    init(_ options: [String: String], isInternal: Bool) throws(NetworkError) {
        interContainer = try Self.flag(options, "enable_icc")
        masquerade = try Self.flag(options, "enable_ip_masquerade")
        let key = Self.prefix + "host_binding_ipv4"
        if let text = options[key] {
            guard let address = IPv4Address(text) else {
                throw NetworkError(.invalidArgument, "failed to parse \(key) value: \(text) (nil ip)")
            }
            hostBinding = address == .any ? nil : address
        }
        for family in ["ipv4", "ipv6"] {
            let mode = options[Self.prefix + "gateway_mode_" + family] ?? "nat"
            switch mode {
            case "", "nat": break
            case "isolated" where isInternal: isIsolated = true
            case "isolated":
                throw NetworkError(.invalidArgument, "gateway mode 'isolated' can only be used for an internal network")
            case "routed", "nat-unprotected":
                throw NetworkError(.unimplemented, "gateway mode '\(mode)' is not implemented")
            default: throw NetworkError(.invalidArgument, "unknown gateway mode \(mode)")
            }
        }
    }

    private static func flag(_ options: [String: String], _ name: String) throws(NetworkError) -> Bool? {
        guard let text = options[prefix + name] else { return nil }
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default:
            throw NetworkError(
                .invalidArgument,
                "failed to parse \(prefix + name) value: \(text) (strconv.ParseBool: parsing \"\(text)\": invalid syntax)"
            )
        }
    }
}

extension NetworkRecord {
    /// None for the default network, which follows the daemon's settings: its options only show them.
    var bridgeOptions: BridgeOptions? {
        isPredefined ? nil : try? BridgeOptions(options, isInternal: isInternal)
    }
}

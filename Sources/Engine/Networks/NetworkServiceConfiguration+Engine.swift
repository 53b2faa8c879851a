// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink
package import Networking

extension NetworkServiceConfiguration {
    /// The daemon's flags as the network service takes them; values that make no sense are refused here.
    package init(_ engine: EngineConfiguration) throws(EngineError) {
        self.init(dataRoot: engine.dataRoot, execRoot: engine.execRoot)
        let flags = engine.network
        if !flags.bridge.isEmpty { bridge = flags.bridge }
        bridgeAddress = try Self.bridgeAddress(flags.bridgeAddress)
        for pool in flags.addressPools {
            guard let base = IPv4Prefix(pool.base), let checked = AddressPool(base: base, size: pool.size) else {
                throw .invalidArgument("invalid --default-address-pool base=\(pool.base),size=\(pool.size)")
            }
            addressPools.append(checked)
        }
        mtu = flags.mtu == 0 ? nil : flags.mtu
        firewall = flags.firewall
        ipForward = flags.ipForward
        ipMasquerade = flags.ipMasquerade
        interContainerCommunication = flags.interContainer
        userlandProxy = flags.userlandProxy
        directRouting = flags.directRouting
        firewall6 = flags.firewall6
        addressRange = try Self.value(flags.addressRange, "fixed-cidr") { IPv4Prefix($0)?.network }
        defaultGateway = try Self.value(flags.defaultGateway, "default-gateway") { IPv4Address($0) }
        hostBinding = try Self.value(flags.hostBinding, "ip") { HostAddress($0) }
        if hostBinding == .any { hostBinding = nil }
        defaultOptions = flags.defaultOptions
        if flags.ipv6 {
            let gateway = try Self.value(flags.defaultGateway6, "default-gateway-v6") { IPv6Address($0) }
            let bridge = try Self.prefix6(flags.bridgeAddress6, "bip6", "an address such as fd00:1::1/64")
            let range = try Self.prefix6(flags.subnet6, "fixed-cidr-v6", "a subnet such as fd00:1::/64")?.network
            ipv6 = IPv6Request(
                subnet: bridge?.network ?? range, range: bridge == nil ? nil : range, gateway: bridge?.address,
                reserved: gateway.map { ["DefaultGatewayIPv6": $0] } ?? [:])
        }
        nameservers = flags.nameservers
        searchDomains = flags.searchDomains
        resolverOptions = flags.resolverOptions
    }

    /// nil for an empty text.
    private static func value<Value>(
        _ text: String, _ flag: String, _ parse: (String) -> Value?
    ) throws(EngineError) -> Value? {
        if text.isEmpty { return nil }
        guard let value = parse(text) else { throw .invalidArgument("invalid --\(flag) \(text)") }
        return value
    }

    private static func prefix6(
        _ text: String, _ flag: String, _ expected: String
    ) throws(EngineError) -> IPv6Prefix? {
        if text.isEmpty { return nil }
        guard let prefix = IPv6Prefix(text) else {
            throw .invalidArgument("invalid --\(flag) \(text): expected \(expected)")
        }
        return prefix
    }

    private static func bridgeAddress(_ text: String) throws(EngineError) -> IPv4Prefix? {
        if text.isEmpty { return nil }
        guard let address = IPv4Prefix(text), address.length <= 30 else {
            throw .invalidArgument("invalid --bip \(text): expected an address such as 172.30.0.1/24")
        }
        return address
    }
}

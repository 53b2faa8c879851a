// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import Netlink

/// A range that subnets of `size` are taken from: `--default-address-pool base=172.30.0.0/16,size=24`.
package struct AddressPool: Sendable, Equatable {
    package var base: IPv4Prefix
    package var size: Int

    package init?(base: IPv4Prefix, size: Int) {
        guard size >= base.length, size <= 29 else { return nil }
        self.base = base.network
        self.size = size
    }

    /// Parses `base=CIDR,size=N`.
    package init?(_ text: String) {
        var base: IPv4Prefix?
        var size: Int?
        for part in text.split(separator: ",") {
            if part.hasPrefix("base=") { base = IPv4Prefix(part.dropFirst(5)) }
            if part.hasPrefix("size=") { size = Int(part.dropFirst(5)) }
        }
        guard let base, let size else { return nil }
        self.init(base: base, size: size)
    }
}

/// The daemon's flags that concern networks, under dockerd's names.
package struct NetworkServiceConfiguration: Sendable {
    package var dataRoot: FilePath
    package var execRoot: FilePath
    /// `--bridge`; `none` turns the default network off.
    package var bridge = "swrun0"
    /// `--bip`: the bridge's own address and the length of its network.
    package var bridgeAddress: IPv4Prefix?
    /// `--fixed-cidr`: containers on the default network get their addresses from this part of it.
    package var addressRange: IPv4Prefix?
    /// `--default-gateway`: where they send what is for others; nil is the bridge itself.
    package var defaultGateway: IPv4Address?
    /// `--ip`: where they publish ports without an address; nil is everywhere.
    package var hostBinding: HostAddress?
    /// `--default-network-opt`: options of new networks that do not have them, by driver.
    package var defaultOptions: [String: [String: String]] = [:]
    /// `--default-address-pool`; empty means our own small pools.
    package var addressPools: [AddressPool] = []
    /// `--mtu`; nil takes the MTU of the host's default route, at most 1500.
    package var mtu: Int?
    /// `--iptables`: false leaves the host's firewall alone: then nothing is masqueraded, and ports are the proxy's.
    package var firewall = true
    /// `--ip6tables`: the same for IPv6.
    package var firewall6 = true
    /// `--allow-direct-routing`: published ports are reached at containers' own addresses, too.
    package var directRouting = false
    /// `--ipv6`, `--bip6` and `--fixed-cidr-v6`: the default network's IPv6; nil if it has none.
    package var ipv6: IPv6Request?
    /// `--userland-proxy`: ports are also published on IPv6 addresses to containers that have none.
    package var userlandProxy = true
    package var ipForward = true
    package var ipMasquerade = true
    /// `--icc`: containers on the default network reach each other.
    package var interContainerCommunication = true
    /// `--dns`, `--dns-search`, `--dns-opt`.
    package var nameservers: [String] = []
    package var searchDomains: [String] = []
    package var resolverOptions: [String] = []
    /// Told of what a person should know but that stops nothing; called on the service's own thread.
    package var warn: @Sendable (String) -> Void = { _ in }

    /// Asks plugins.
    package var callPlugin: PluginCall = { name, _, _, _ throws(NetworkError) in
        throw NetworkError(.notFound, "plugin \"\(name)\" not found")
    }

    package init(dataRoot: FilePath, execRoot: FilePath) {
        self.dataRoot = dataRoot
        self.execRoot = execRoot
    }

    /// The nftables table of this daemon: one of its own for each bridge, so that several daemons run side by side.
    var tableName: String {
        if bridge == "swrun0" { return "swrun" }
        return "swrun_" + String(bridge.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}

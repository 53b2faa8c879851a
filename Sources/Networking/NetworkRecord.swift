// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import Netlink

/// A network as it is stored and listed.
package struct NetworkRecord: Sendable, Equatable {
    package var id: String
    package var name: String
    /// `bridge`, `macvlan`, `ipvlan`, `host` or `null`, or a plugin's name.
    package var driver: String
    package var created: Timestamp
    /// For the bridge driver: the link's name, the subnet and the bridge's own address in it.
    package var bridge: String = ""
    package var subnet: IPv4Prefix?
    package var gateway: IPv4Address?
    /// Addresses are given to containers from this part of the subnet only; nil means from all of it.
    package var addressRange: IPv4Prefix?
    package var reserved: [String: IPv4Address] = [:]
    package var ipv6: IPv6Network?
    /// The user chose the subnet: only then may containers choose their addresses.
    package var isSubnetChosen = true
    package var isInternal = false
    package var isAttachable = false
    package var addressing = Addressing()
    package var options: [String: String] = [:]
    package var labels: [String: String] = [:]
    /// No network, but what others are made from (`--config-only`).
    package var isConfigOnly = false
    /// The name of what it was made from; empty if it was not.
    package var configFrom = ""
    /// Without IPv6, though its maker named a subnet for it: docker passes over addresses that are wanted there.
    var passesOverIPv6 = false
    /// The link that the containers' interfaces are children of was made by us for such networks.
    var hasOwnParent = false
    /// One of the three that always exist and that nobody can remove.
    package var isPredefined: Bool { ["bridge", "host", "none"].contains(name) }

    /// Whether containers on it find each other by name: on bridges that users made.
    var hasNames: Bool { hasInterfaces && !isPredefined && name != NetworkRecord.wayOut }

    /// Whether containers on it get an interface.
    package var hasInterfaces: Bool { driver == "bridge" || ParentOptions.drivers.contains(driver) || isRemote }

    /// Where containers send what is for others; nil if they reach none.
    var containerGateway: IPv4Address? {
        if isInternal || parentOptions?.isIsolated == true { return nil }
        return reserved["DefaultGatewayIPv4"] ?? gateway
    }

    var containerGateway6: IPv6Address? {
        if isInternal || parentOptions?.isIsolated == true { return nil }
        return ipv6.map { $0.reserved["DefaultGatewayIPv6"] ?? $0.gateway }
    }

    static let mtuOption = "com.docker.network.driver.mtu"

    /// What the maker of the network asked for (`-o com.docker.network.driver.mtu=…`), in bytes. The default network
    /// follows the daemon's settings, and its option only shows them.
    var mtu: Int? { isPredefined ? nil : options[Self.mtuOption].flatMap(Self.mtu) }

    /// IPv4 needs 68 bytes at least, and the kernel's bridges take 65535 at most.
    static func mtu(_ text: String) -> Int? { Int(text).flatMap { (68...65535).contains($0) ? $0 : nil } }
}

/// One container's place on one network, as it is stored and listed.
package struct EndpointRecord: Sendable, Equatable {
    package var id: String
    package var containerID: String
    package var containerName: String
    package var networkID: String
    package var address: IPv4Prefix?
    package var macAddress: MACAddress?
    package var gateway: IPv4Address?
    package var address6: IPv6Prefix?
    package var gateway6: IPv6Address?
    /// The host's end of the veth pair, or what a plugin's interface is called at the host; empty if there is none.
    package var hostLink: String = ""
    /// The container's end, as the container sees it: `eth0`, `eth1`, …
    package var interface: String = ""
    package var ports: [BoundPort] = []
    package var aliases: [String] = []
    /// What the embedded name server answers for it: the container's name first. Empty on the default network.
    package var names: [String] = []
    /// Names that the container alone knows on this network: alias to name.
    package var links: [String: String] = [:]
    /// The container's own name servers (`--dns`), which the embedded one asks; empty means the host's.
    package var nameservers: [String] = []
    /// Ports that it has open for those that link to it, as `80/tcp`, and the containers that it links to.
    package var exposed: [String] = []
    package var linked: [String] = []
    /// The default route is the network's with the highest priority (`gw-priority`).
    package var gatewayPriority = 0
    /// On networks of plugins: what the plugin has done, and whether it wants no `docker_gwbridge` beside it.
    package var pluginStage = PluginStage.unknown
    var refusesWayOut = false
}

extension EndpointRecord {
    /// The container's address of a family; nil if it has none.
    func target(ofIPv6: Bool) -> HostAddress? {
        ofIPv6 ? (address6?.address).map(HostAddress.ipv6) : (address?.address).map(HostAddress.ipv4)
    }
}

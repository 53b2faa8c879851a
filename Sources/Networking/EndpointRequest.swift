// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import Netlink

/// What a container that is about to start asks of its network.
package struct EndpointRequest: Sendable {
    package var containerID: String
    /// Without the leading slash; used in error texts and network listings.
    package var containerName: String
    /// docker's NetworkMode: `bridge`/`default`, `none`, `host`, `container:ID` (an id, already resolved), or a
    /// network's name or id.
    package var mode: String
    /// Whose the network namespace is, if it is a new one.
    package var owner = NetworkOwner.host
    package var ports: [PortMapping] = []
    package var aliases: [String] = []
    /// What other containers on a user-defined network may call it, its name first; and what it alone calls others.
    package var names: [String] = []
    package var links: [String: String] = [:]
    /// Containers on the default network that it links to, and the ports that others that link to it are to reach
    /// (`80/tcp`): both matter where the network's containers do not reach one another else.
    package var linked: [String] = []
    package var exposed: [String] = []
    package var address: IPv4Address?
    /// Without effect on a network of users' that has no IPv6.
    package var address6: IPv6Address?
    /// Further addresses of the interface, which the network knows nothing of (`--link-local-ip`).
    package var linkLocal: [IPv4Address] = []
    package var linkLocal6: [IPv6Address] = []
    package var macAddress: MACAddress?
    /// The container has IPv6 switched off (`--sysctl net.ipv6.conf.all.disable_ipv6=1`), so it gets no such address.
    package var isWithoutIPv6 = false
    /// What its maker says about the interface to the network's driver (`driver-opt`).
    package var driverOptions: [String: String] = [:]
    /// The default route is the network's with the highest one.
    package var gatewayPriority = 0
    /// `--dns`, `--dns-search`, `--dns-option`; empty means as the daemon and the host say.
    package var nameservers: [String] = []
    package var searchDomains: [String] = []
    package var resolverOptions: [String] = []
    /// Recorded already, with what plugins have given it.
    var prepared: EndpointRecord?
    /// The interface that a plugin has made for it, in a namespace that is there.
    var link: PluginLink?

    package init(containerID: String, containerName: String, mode: String) {
        self.containerID = containerID
        self.containerName = containerName
        self.mode = mode
    }
}

/// How a container is connected: what its OCI spec, its config files and `inspect` need.
package struct NetworkAttachment: Sendable, Equatable {
    /// The network namespace to join; nil for `host`, where the container stays in the host's.
    package var netnsPath: FilePath?
    /// The user namespace that it belongs to, to be joined with it; nil for the host's.
    package var usernsPath: FilePath?
    package var networkName: String
    package var networkID: String
    package var endpointID: String
    /// nil for `none`, `host` and `container:`.
    package var address: IPv4Prefix?
    package var gateway: IPv4Address?
    package var address6: IPv6Prefix?
    package var gateway6: IPv6Address?
    package var macAddress: MACAddress?
    package var aliases: [String] = []
    /// Its names on this network; empty where containers have none.
    package var names: [String] = []
    package var ports: [BoundPort] = []
    /// The content of the container's /etc/resolv.conf.
    package var resolvConf: String

    // docker's inspect wants texts, empty where there is nothing.
    package var ipAddress: String { address.map { $0.address.description } ?? "" }
    /// Of both families, as far as it has them.
    package var addressTexts: [String] {
        [address?.address.description, address6?.address.description].compactMap { $0 }
    }
    var leadsOut: Bool { gateway != nil || gateway6 != nil }
    package var prefixLength: Int { address?.length ?? 0 }
}

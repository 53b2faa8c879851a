// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// Interfaces that plugins make for containers.
extension BridgeDevices {
    /// Moves a plugin's link into the container's namespace, as `port` says, with its routes; returns its MAC address. One
    /// that the plugin has not named it puts there itself.
    func take(
        _ link: PluginLink, as port: Port, container: inout NamespaceHandle
    ) throws(NetworkError) -> MACAddress? {
        let namespace = container.namespace.raw
        do throws(NetlinkError) { try container.netlink.run(.setLink(index: loopbackIndex, up: true)) } catch {
            throw NetworkError(error)
        }
        if link.source.isEmpty { return nil }
        guard let found = try find(link.source)?.link else {
            throw NetworkError(.internal, "failed to get link by name \"\(link.source)\": Link not found")
        }
        try run { (netlink) throws(NetlinkError) in
            try netlink.run([
                .setLink(index: found.index, up: false), .setLink(index: found.index, namespaceFD: namespace),
            ])
        }
        do throws(NetlinkError) {
            guard let inside = try container.netlink.link(named: link.source) else {
                throw NetlinkError(operation: "get link", subject: link.source, errno: .noSuchDevice)
            }
            try container.netlink.run(
                .setLink(index: inside.index, name: port.interface, address: port.macAddress))
            try configure(port, &container.netlink)
            let index = inside.index
            let routes6 = port.address6 == nil ? [] : link.routes6
            try container.netlink.run(
                link.routes.map { .addRoute($0.destination, gateway: $0.gateway, linkIndex: index) }
                    + routes6.map { .addRoute($0.destination, gateway: $0.gateway, linkIndex: index) })
            return port.macAddress ?? inside.address
        } catch {
            throw NetworkError(error)
        }
    }
}

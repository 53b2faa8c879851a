// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// Links of the host's that containers' interfaces are children of, and those interfaces.
extension BridgeDevices {
    /// Makes the link unless it is there, a VLAN's or one that leads nowhere; true if it was made.
    func ensureParent(_ options: ParentOptions) throws(NetworkError) -> Bool {
        if try find(options.parent) != nil { return false }
        let operation: NetlinkOperation
        var what = ""
        if options.isIsolated {
            operation = .addDummy(options.parent)
        } else {
            let (name, id) = try ParentOptions.vlan(options.parent)
            guard let parent = try find(name)?.link else {
                throw NetworkError(.invalidArgument, "-o parent interface was not found on the host: \(name)")
            }
            operation = .addChild(VethEnd(options.parent), of: parent.index, .vlan(id: id))
            what = "failed to create \(options.parent) vlan link: "
        }
        do throws(NetworkError) {
            try run { (netlink) throws(NetlinkError) in
                try netlink.run([operation, .setAlias(options.parent, Self.mark), .bringUp(options.parent)])
            }
        } catch {
            try? removeLink(options.parent)
            throw NetworkError(error.kind, what + error.message)
        }
        return true
    }

    /// Gives the container an interface that is a child of the link.
    func connect(_ port: Port, to options: ParentOptions, container: inout NamespaceHandle) throws(NetworkError) {
        guard let parent = try find(options.parent)?.link else {
            throw NetworkError(
                .internal,
                "error occurred looking up the \(options.child.name) parent iface \(options.parent) error: Link not found"
            )
        }
        // The kernel looks for the name here, too, where it may be taken: so it gets its own inside.
        let end = VethEnd(port.hostLink, address: port.macAddress, mtu: parent.mtu)
        let namespace = container.namespace.raw
        do throws(NetworkError) {
            try run { (netlink) throws(NetlinkError) in
                try netlink.run(.addChild(end, of: parent.index, options.child, namespaceFD: namespace))
            }
        } catch {
            throw NetworkError(error.kind, "failed to create the \(options.child.name) port: \(error.message)")
        }
        do throws(NetlinkError) {
            if let made = try container.netlink.link(named: port.hostLink) {
                try container.netlink.run(.setLink(index: made.index, name: port.interface))
            }
            try configure(port, &container.netlink)
        } catch {
            throw NetworkError(error)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Netlink

/// What our nftables table must say, as a value: tests compare it and its text.
struct FirewallRules: Sendable, Equatable {
    /// A bridge network as the rules see it.
    struct Bridge: Sendable, Equatable {
        var name: String
        var subnet: IPv4Prefix
        var masquerade = true
        var isInternal = false
        var subnet6: IPv6Prefix?
    }

    /// A published port and where it leads.
    struct Published: Sendable, Hashable {
        var port: BoundPort
        /// Of the family of the port's host address.
        var target: HostAddress

        private var hostAddress: String { port.hostIP.isAny ? "" : "\(port.hostIP) . " }
        var map: String { port.hostIP.isAny ? "published_anywhere" : "published" }
        var family: String { port.hostIP.isIPv6 ? "ip6" : "ip" }
        var key: String { "\(hostAddress)\(port.proto.rawValue) . \(port.hostPort)" }
        var element: String { "\(key) : \(target) . \(port.containerPort)" }
    }

    var bridges: [Bridge] = []
    var published: Set<Published> = []
}

extension FirewallRules {
    /// The commands that turn `old` into this when only published ports differ; nil when the table must be replaced.
    func changes(from old: FirewallRules, table: String) -> String? {
        guard bridges == old.bridges else { return nil }
        var commands = ""
        for port in old.published.subtracting(published).sorted() {
            commands += "delete element \(port.family) \(table) \(port.map) { \(port.key) }\n"
        }
        for port in published.subtracting(old.published).sorted() {
            commands += "add element \(port.family) \(table) \(port.map) { \(port.element) }\n"
        }
        return commands
    }

    /// The whole table, replacing what is there.
    ///
    /// `ip daddr 127.0.0.0/8 return`: prerouting sees what other hosts send before the kernel drops loopback addresses
    /// that come from outside, so a port published on 127.0.0.1 must be unknown there. Local programs' connections pass
    /// `output` only. `ct status dnat` lets exactly the published ports through to containers; everything else from
    /// outside is dropped, also from hosts that have a route to the containers' subnet.
    func replacement(table: String) -> String {
        """
        add table ip \(table)
        delete table ip \(table)
        table ip \(table) {
        \(maps("ip", "ipv4_addr"))
          chain prerouting {
            type nat hook prerouting priority dstnat; policy accept;
            ip daddr 127.0.0.0/8 return
            fib daddr type local jump publish
          }
          chain output {
            type nat hook output priority -100; policy accept;
            fib daddr type local jump publish
          }
          chain publish {
            dnat to ip daddr . meta l4proto . th dport map @published
            dnat to meta l4proto . th dport map @published_anywhere
          }
          chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
        \(lines(bridges.flatMap(masquerading)))  }
          chain loopback_guard {
            type filter hook prerouting priority raw; policy accept;
        \(lines(bridges.map { "iifname \"\($0.name)\" ip daddr 127.0.0.0/8 drop" }))  }
          chain forward {
            type filter hook forward priority filter; policy accept;
        \(lines(bridges.flatMap(forwarding)))  }
        }

        """
    }

    var hasIPv6: Bool { bridges.contains { $0.subnet6 != nil } }

    /// The table for IPv6. `::1` is the port proxy's, since the kernel takes such a source address nowhere.
    /// - Parameter translates: without it, for a kernel that cannot, nothing is published or masqueraded here.
    func replacement6(table: String, translates: Bool) -> String {
        let with6 = bridges.filter { $0.subnet6 != nil }
        return """
            table ip6 \(table) {
            \(translates ? translation6(with6) : "")  chain forward {
                type filter hook forward priority filter; policy accept;
            \(lines(with6.flatMap(forwarding)))  }
            }

            """
    }

    private func translation6(_ bridges: [Bridge]) -> String {
        """
        \(maps("ip6", "ipv6_addr"))
          chain prerouting {
            type nat hook prerouting priority dstnat; policy accept;
            ip6 daddr ::1 return
            fib daddr type local jump publish
          }
          chain output {
            type nat hook output priority -100; policy accept;
            ip6 daddr ::1 return
            fib daddr type local jump publish
          }
          chain publish {
            dnat to ip6 daddr . meta l4proto . th dport map @published
            dnat to meta l4proto . th dport map @published_anywhere
          }
          chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
        \(lines(bridges.flatMap(masquerading6)))  }

        """
    }

    private func masquerading6(_ bridge: Bridge) -> [String] {
        guard let subnet = bridge.subnet6?.network else { return [] }
        let name = "\"\(bridge.name)\""
        let inside = "oifname \(name) ip6 saddr \(subnet) ct status dnat masquerade"
        return bridge.masquerade && !bridge.isInternal
            ? [inside, "ip6 saddr \(subnet) oifname != \(name) masquerade"] : [inside]
    }

    /// The published ports of a family as maps: those of one address of the host, and those of all.
    private func maps(_ family: String, _ type: String) -> String {
        """
          map published {
            type \(type) . inet_proto . inet_service : \(type) . inet_service
        \(elements(family, "published"))  }
          map published_anywhere {
            type inet_proto . inet_service : \(type) . inet_service
        \(elements(family, "published_anywhere"))  }
        """
    }

    private func elements(_ family: String, _ map: String) -> String {
        let found = published.filter { $0.map == map && $0.family == family }.sorted().map(\.element)
        return found.isEmpty ? "" : "    elements = { \(found.joined(separator: ", ")) }\n"
    }

    private func lines(_ rules: [String]) -> String { rules.map { "    \($0)\n" }.joined() }

    private func masquerading(_ bridge: Bridge) -> [String] {
        // A local program that used 127.0.0.1, and a container that used a published port of its own network: without
        // a new source address the answer would not come back through here.
        var rules = [
            "oifname \"\(bridge.name)\" ip saddr 127.0.0.0/8 masquerade",
            "oifname \"\(bridge.name)\" ip saddr \(bridge.subnet.network) ct status dnat masquerade",
        ]
        if bridge.masquerade && !bridge.isInternal {
            rules.append("ip saddr \(bridge.subnet.network) oifname != \"\(bridge.name)\" masquerade")
        }
        return rules
    }

    private func forwarding(_ bridge: Bridge) -> [String] {
        let name = "\"\(bridge.name)\""
        if bridge.isInternal {
            return ["iifname \(name) oifname != \(name) drop", "iifname != \(name) oifname \(name) drop"]
        }
        return [
            "oifname \(name) ct state established,related accept",
            "oifname \(name) ct status dnat accept",
            "iifname != \(name) oifname \(name) drop",
        ]
    }
}

extension FirewallRules.Published: Comparable {
    static func < (left: Self, right: Self) -> Bool { left.element < right.element }
}

// SPDX-License-Identifier: Apache-2.0
import Netlink

/// What our nftables table must say, as a value: tests compare it and its text.
struct FirewallRules: Sendable, Equatable {
    /// A bridge network as the rules see it.
    struct Bridge: Sendable, Equatable {
        var name: String
        /// nil for a network without IPv4.
        var subnet: IPv4Prefix?
        var masquerade = true
        var isInternal = false
        var subnet6: IPv6Prefix?
        var mode = GatewayMode.nat
        var mode6 = GatewayMode.nat
        /// The address that what leaves it gets; nil for that of the link by which it leaves.
        var source: IPv4Address?
        var source6: IPv6Address?
        var trustedLinks: [String] = []
        /// Published ports are reached at containers' own addresses as well.
        var isDirectlyRouted = false
        /// Its containers reach one another at linked ports only. The kernel must show us what bridges carry.
        var isRestricted = false
    }

    /// An element of one of the tables' maps and sets.
    struct Element: Sendable, Hashable, Comparable {
        /// `ip` or `ip6`.
        var family: String
        var container: String
        var key: String
        /// Empty in a set.
        var value = ""

        var text: String { value.isEmpty ? key : "\(key) : \(value)" }

        /// A published port and where it leads, which is of the family of the port's host address.
        static func published(_ port: BoundPort, target: HostAddress) -> Element {
            let (name, host) = port.hostIP.isAny ? ("published_anywhere", "") : ("published", "\(port.hostIP) . ")
            return Element(
                family: target.family, container: name, key: "\(host)\(port.proto.rawValue) . \(port.hostPort)",
                value: "\(target) . \(port.containerPort)")
        }

        /// A container's port that is reached at its own address.
        static func opened(_ port: BoundPort, target: HostAddress) -> Element {
            Element(
                family: target.family, container: "opened",
                key: "\(target) . \(port.proto.rawValue) . \(port.containerPort)")
        }

        /// A container's port that one neighbour reaches where else none does.
        static func linked(_ from: IPv4Address, to: IPv4Address, _ port: UInt16, _ proto: PortProtocol) -> Element {
            Element(family: "ip", container: "linked", key: "\(from) . \(to) . \(proto.rawValue) . \(port)")
        }

        static func < (left: Self, right: Self) -> Bool {
            (left.container, left.text) < (right.container, right.text)
        }
    }

    var bridges: [Bridge] = []
    var elements: Set<Element> = []
}

extension FirewallRules {
    /// The commands that turn `old` into this when only elements differ; nil when the table must be replaced.
    func changes(from old: FirewallRules, table: String) -> String? {
        guard bridges == old.bridges else { return nil }
        var commands = ""
        for gone in old.elements.subtracting(elements).sorted() {
            commands += "delete element \(gone.family) \(table) \(gone.container) { \(gone.key) }\n"
        }
        for new in elements.subtracting(old.elements).sorted() {
            commands += "add element \(new.family) \(table) \(new.container) { \(new.text) }\n"
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
        \(set("ip", "opened", "ipv4_addr . inet_proto . inet_service"))
        \(set("ip", "linked", "ipv4_addr . ipv4_addr . inet_proto . inet_service"))
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
        \(lines(with4.flatMap(masquerading)))  }
          chain loopback_guard {
            type filter hook prerouting priority raw; policy accept;
        \(lines(bridges.map { "iifname \"\($0.name)\" ip daddr 127.0.0.0/8 drop" }))  }
          chain forward {
            type filter hook forward priority filter; policy accept;
        \(lines(Self.forwarding(with4.map { Way($0) })))  }
        }

        """
    }

    private var with4: [Bridge] { bridges.filter { $0.subnet != nil } }

    var hasIPv6: Bool { bridges.contains { $0.subnet6 != nil } }

    /// The table for IPv6. `::1` is the port proxy's, since the kernel takes such a source address nowhere.
    /// - Parameter translates: without it, for a kernel that cannot, nothing is published or masqueraded here.
    func replacement6(table: String, translates: Bool) -> String {
        let with6 = bridges.filter { $0.subnet6 != nil }
        return """
            table ip6 \(table) {
            \(set("ip6", "opened", "ipv6_addr . inet_proto . inet_service"))
            \(translates ? translation6(with6) : "")  chain forward {
                type filter hook forward priority filter; policy accept;
            \(lines(Self.forwarding(with6.map { Way(ipv6: $0) })))  }
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
        guard bridge.masquerade, !bridge.isInternal, bridge.mode6 != .routed else { return [inside] }
        let source = bridge.source6.map { "snat to \($0)" } ?? "masquerade"
        return [inside, "ip6 saddr \(subnet) oifname != \(name) \(source)"]
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

    private func set(_ family: String, _ name: String, _ type: String) -> String {
        """
          set \(name) {
            type \(type)
        \(elements(family, name))  }
        """
    }

    private func elements(_ family: String, _ container: String) -> String {
        let found = elements.filter { $0.container == container && $0.family == family }.sorted().map(\.text)
        return found.isEmpty ? "" : "    elements = { \(found.joined(separator: ", ")) }\n"
    }

    private func lines(_ rules: [String]) -> String { rules.map { "    \($0)\n" }.joined() }

    private func masquerading(_ bridge: Bridge) -> [String] {
        guard let subnet = bridge.subnet?.network else { return [] }
        // A local program that used 127.0.0.1, and a container that used a published port of its own network: without
        // a new source address the answer would not come back through here.
        var rules = [
            "oifname \"\(bridge.name)\" ip saddr 127.0.0.0/8 masquerade",
            "oifname \"\(bridge.name)\" ip saddr \(subnet) ct status dnat masquerade",
        ]
        if bridge.masquerade && !bridge.isInternal && bridge.mode != .routed {
            let source = bridge.source.map { "snat to \($0)" } ?? "masquerade"
            rules.append("ip saddr \(subnet) oifname != \"\(bridge.name)\" \(source)")
        }
        return rules
    }
}

extension HostAddress {
    /// The name of nftables' tables for it.
    fileprivate var family: String { isIPv6 ? "ip6" : "ip" }
}

// Who reaches whom.
extension FirewallRules {
    /// A bridge as the rules for one family see it.
    private struct Way {
        var name: String
        var isInternal: Bool
        var mode: GatewayMode
        var trustedLinks: [String]
        var isDirectlyRouted: Bool
        var isRestricted: Bool
        /// As rules write it: `ip` or `ip6`, and how its ICMP is matched.
        var family = "ip"
        var icmp = "ip protocol icmp"
        var hasLinks = true

        init(_ bridge: Bridge) {
            (name, isInternal) = ("\"\(bridge.name)\"", bridge.isInternal)
            (mode, isDirectlyRouted, isRestricted) = (bridge.mode, bridge.isDirectlyRouted, bridge.isRestricted)
            trustedLinks = bridge.trustedLinks.map { "\"\($0)\"" }
        }

        init(ipv6 bridge: Bridge) {
            self.init(bridge)
            (mode, family, icmp, hasLinks) = (bridge.mode6, "ip6", "meta l4proto ipv6-icmp", false)
        }
    }

    /// What internal networks forbid comes first: what another network allows must not go round it.
    private static func forwarding(_ ways: [Way]) -> [String] {
        ways.flatMap { within($0) }
            + ways.filter(\.isInternal).flatMap { way in
                ["iifname \(way.name) oifname != \(way.name) drop", "iifname != \(way.name) oifname \(way.name) drop"]
            } + ways.filter { !$0.isInternal }.flatMap { outside($0) }
    }

    /// Between the containers of one network, where they may not reach one another as they like.
    private static func within(_ way: Way) -> [String] {
        guard way.isRestricted else { return [] }
        let both = "iifname \(way.name) oifname \(way.name)"
        let linked = "\(both) ip saddr . ip daddr . meta l4proto . th dport @linked accept"
        return ["\(both) ct state established,related accept", "\(both) ct status dnat accept"]
            + (way.hasLinks ? [linked] : []) + ["\(both) drop"]
    }

    private static func outside(_ way: Way) -> [String] {
        let out = "oifname \(way.name)"
        let opened = "\(out) \(way.family) daddr . meta l4proto . th dport @opened accept"
        var rules = ["\(out) ct state established,related accept", "\(out) ct status dnat accept"]
        if !way.trustedLinks.isEmpty {
            rules.append("iifname { \(way.trustedLinks.joined(separator: ", ")) } \(opened)")
        }
        switch way.mode {
        case .natUnprotected: return rules
        case .routed: rules += [opened, "\(out) \(way.icmp) accept"]
        case .nat where way.isDirectlyRouted: rules.append(opened)
        case .nat, .isolated: break
        }
        return rules + ["iifname != \(way.name) \(out) drop"]
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink
import Testing

@testable import Networking

@Suite("What the makers of networks say")
struct NetworkOptionsTests {
    private func rules(_ change: (inout FirewallRules.Bridge) -> Void) -> FirewallRules {
        var bridge = FirewallRules.Bridge(
            name: "br1", subnet: IPv4Prefix("10.1.0.0/24"), subnet6: IPv6Prefix("fd00:1::/64"))
        change(&bridge)
        return FirewallRules(bridges: [bridge])
    }

    @Test("a routed network keeps its addresses, and has its published ports open")
    func routed() throws {
        var rules = rules { ($0.mode, $0.mode6) = (.routed, .routed) }
        let port = BoundPort(containerPort: 80, proto: .tcp, hostIP: .any, hostPort: 0)
        rules.elements = [.opened(port, target: .ipv4(try #require(IPv4Address("10.1.0.2"))))]
        let text = rules.replacement(table: "t")
        #expect(!text.contains("ip saddr 10.1.0.0/24 oifname != \"br1\""))
        #expect(text.contains("elements = { 10.1.0.2 . tcp . 80 }"))
        #expect(text.contains("oifname \"br1\" ip daddr . meta l4proto . th dport @opened accept"))
        #expect(text.contains("oifname \"br1\" ip protocol icmp accept"))
        #expect(
            rules.replacement6(table: "t", translates: true).contains("oifname \"br1\" meta l4proto ipv6-icmp accept"))
    }

    @Test("published ports are open at containers' own addresses with direct routing")
    func directlyRouted() throws {
        let text = rules { $0.isDirectlyRouted = true }.replacement(table: "t")
        let opened = try #require(text.firstRange(of: "ip daddr . meta l4proto . th dport @opened accept"))
        let drop = try #require(text.firstRange(of: "iifname != \"br1\" oifname \"br1\" drop"))
        #expect(opened.lowerBound < drop.lowerBound)
    }

    @Test("an unprotected one drops nothing")
    func unprotected() throws {
        let text = rules { $0.mode = .natUnprotected }.replacement(table: "t")
        #expect(!text.contains("oifname \"br1\" drop"))
        #expect(text.contains("ip saddr 10.1.0.0/24 oifname != \"br1\" masquerade"))
    }

    @Test("a restricted one lets links through and drops the rest")
    func restricted() throws {
        let text = rules { $0.isRestricted = true }.replacement(table: "t")
        let linked = try #require(text.firstRange(of: "@linked accept"))
        let drop = try #require(text.firstRange(of: "iifname \"br1\" oifname \"br1\" drop"))
        #expect(linked.lowerBound < drop.lowerBound)
    }

    @Test("a chosen source address, and trusted links")
    func sources() throws {
        let text = rules {
            $0.source = IPv4Address("192.0.2.9")
            $0.trustedLinks = ["eth1"]
        }.replacement(table: "t")
        #expect(text.contains("oifname != \"br1\" snat to 192.0.2.9"))
        #expect(text.contains("iifname { \"eth1\" } oifname \"br1\" ip daddr . meta l4proto . th dport @opened accept"))
    }

    @Test(
        "VLANs' links",
        arguments: [("eth0.10", "eth0", 10), ("bond0.4094", "bond0", 4094)])
    func vlans(_ name: String, _ parent: String, _ id: UInt16) throws {
        let vlan = try ParentOptions.vlan(name)
        #expect((vlan.parent, vlan.id) == (parent, id))
    }

    @Test("what is no VLAN's link", arguments: ["eth0", "eth0.0", "eth0.4095", "eth0.x", "eth0.1.2", "eth0."])
    func noVLANs(_ name: String) { #expect(throws: NetworkError.self) { try ParentOptions.vlan(name) } }

    @Test("modes of links that are children of others")
    func children() throws {
        let vepa = try ParentOptions(driver: "macvlan", options: ["parent": "e0", "macvlan_mode": "vepa"], id: "")
        #expect(vepa.child == .macvlan(mode: 2) && vepa.parent == "e0" && !vepa.isExclusive)
        let l3 = try ParentOptions(
            driver: "ipvlan", options: ["ipvlan_mode": "l3s", "ipvlan_flag": "private"], id: "0123456789abcdef")
        #expect(l3.child == .ipvlan(mode: 2, flags: 1) && l3.parent == "di-0123456789ab" && l3.isIsolated)
    }

    @Test("settings of one interface")
    func sysctls() throws {
        let network = NetworkRecord(id: "n", name: "n", driver: "bridge", created: Timestamp(nanoseconds: 0))
        let key = "com.docker.network.endpoint.sysctls"
        let found = try InterfaceSysctl.list(
            [key: "net.ipv4.conf.IFNAME.forwarding=1,net.ipv6.conf.ifname.accept_ra=2"], on: network)
        #expect(
            found.map { $0.path("eth3").string } == [
                "/proc/sys/net/ipv4/conf/eth3/forwarding", "/proc/sys/net/ipv6/conf/eth3/accept_ra",
            ])
        #expect(found.map(\.value) == ["1", "2"])
        for text in [
            "net.ipv4.ip_forward=1", "net.ipv4.conf.IFNAME.x", "net.core.conf.IFNAME.x=1", "net.ipv4.../../IFNAME.x=1",
            "",
        ] {
            #expect(throws: NetworkError.self) { try InterfaceSysctl.list([key: text], on: network) }
        }
    }
}

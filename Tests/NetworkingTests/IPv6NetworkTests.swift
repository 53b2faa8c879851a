// SPDX-License-Identifier: Apache-2.0
import Netlink
import Testing

@testable import Networking

@Suite("The IPv6 half of a network")
struct IPv6NetworkTests {
    private static let id = "0123456789abcdef"

    private func network(_ subnet: String?, range: String? = nil, gateway: String? = nil) throws -> IPv6Network {
        let request = IPv6Request(
            subnet: subnet.flatMap { IPv6Prefix($0) }, range: range.flatMap { IPv6Prefix($0) },
            gateway: gateway.flatMap { IPv6Address($0) })
        return try IPv6Network(request, networkID: Self.id, others: [])
    }

    private func addresses(_ texts: String...) throws -> Set<IPv6Address> {
        Set(try texts.map { try #require(IPv6Address($0)) })
    }

    @Test("a subnet is made of the network's id")
    func chosen() throws {
        let network = try network(nil)
        #expect(network.subnet.description == "fd01:2345:6789:abcd::/64")
        #expect(network.gateway.description == "fd01:2345:6789:abcd::1")
        #expect(IPv6Network(json: network.json) == network)
    }

    @Test("the first free address is given out, never the routers' or the gateway's")
    func next() throws {
        let plain = try network("fd00::/64")
        #expect(try plain.next(wanted: nil, taken: []).description == "fd00::2/64")
        #expect(try plain.next(wanted: nil, taken: addresses("fd00::2", "fd00::3")).description == "fd00::4/64")
        let ranged = try network("fd00::/64", range: "fd00::a0/124", gateway: "fd00::a0")
        #expect(try ranged.next(wanted: nil, taken: []).description == "fd00::a1/64")
        let full = try network("fd00::/126")
        #expect(throws: NetworkError.self) { try full.next(wanted: nil, taken: addresses("fd00::2", "fd00::3")) }
        let end = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff"
        let last = try network(end + "c/126")
        #expect(throws: NetworkError.self) { try last.next(wanted: nil, taken: addresses(end + "e", end + "f")) }
    }

    @Test("a wanted address must be free and in the subnet", arguments: ["fd00::1", "fd00::7", "fd01::7"])
    func wanted(_ text: String) throws {
        let network = try network("fd00::/64")
        let wanted = try #require(IPv6Address(text))
        #expect(throws: NetworkError.self) { try network.next(wanted: wanted, taken: addresses("fd00::7")) }
    }

    @Test("what overlaps or lies outside is refused")
    func refused() throws {
        let other = try #require(IPv6Prefix("fd00::/16"))
        let request = IPv6Request(subnet: IPv6Prefix("fd00:1::/64"), range: nil, gateway: nil)
        #expect(throws: NetworkError.self) { try IPv6Network(request, networkID: Self.id, others: [other]) }
        #expect(throws: NetworkError.self) { try self.network("fd00::/64", gateway: "fd01::1") }
        #expect(throws: NetworkError.self) { try self.network("fd00::/127") }
    }

    @Test("the firewall has a table for IPv6 where a network has it")
    func firewall() throws {
        let subnet = try #require(IPv4Prefix("10.3.0.0/24"))
        var bridge = FirewallRules.Bridge(name: "br6", subnet: subnet)
        #expect(!FirewallRules(bridges: [bridge]).hasIPv6)
        bridge.subnet6 = IPv6Prefix("fd00:1::/64")
        let text = FirewallRules(bridges: [bridge]).replacement6(table: "t", translates: false)
        #expect(text.hasPrefix("table ip6 t {") && text.contains("iifname != \"br6\" oifname \"br6\" drop"))
        #expect(!text.contains("masquerade"))
    }

    @Test("ports on IPv6 lead to containers that have it; what leaves has the host's address")
    func translation() throws {
        let subnet = try #require(IPv4Prefix("10.3.0.0/24"))
        let target = try #require(IPv6Address("fd00:1::2"))
        let port = BoundPort(containerPort: 80, proto: .tcp, hostIP: .anyIPv6, hostPort: 8080)
        let bridge = FirewallRules.Bridge(name: "br6", subnet: subnet, subnet6: IPv6Prefix("fd00:1::/64"))
        var rules = FirewallRules(bridges: [bridge])
        let before = rules
        rules.elements = [.published(port, target: .ipv6(target))]
        let text = rules.replacement6(table: "t", translates: true)
        #expect(text.contains("elements = { tcp . 8080 : fd00:1::2 . 80 }"))
        #expect(text.contains("ip6 saddr fd00:1::/64 oifname != \"br6\" masquerade"))
        #expect(!rules.replacement(table: "t").contains("8080"))
        #expect(
            rules.changes(from: before, table: "t")
                == "add element ip6 t published_anywhere { tcp . 8080 : fd00:1::2 . 80 }\n")
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink
import Testing

@testable import Networking

private func prefix(_ text: String) throws -> IPv4Prefix { try #require(IPv4Prefix(text)) }
private func address(_ text: String) throws -> IPv4Address { try #require(IPv4Address(text)) }

@Suite("Choosing subnets")
struct SubnetChooserTests {
    @Test(
        "takes the first subnet that overlaps no route",
        arguments: [
            ([], "172.30.0.0/24"),
            (["172.30.0.0/24"], "172.30.1.0/24"),
            (["172.30.0.0/16"], "172.29.0.0/24"),
            (["172.16.0.0/12"], "10.211.0.0/24"),
            (["0.0.0.0/0", "172.30.0.7/32"], "172.30.1.0/24"),
            (["172.30.0.0/24", "172.30.2.0/24"], "172.30.1.0/24"),
        ])
    func chooses(_ occupied: [String], _ expected: String) throws {
        let chosen = try SubnetChooser().choose(avoiding: try occupied.map(prefix))
        #expect(chosen.description == expected)
    }

    @Test("says so when all are taken")
    func exhausted() throws {
        #expect(AddressPool("base=10.5.0.0/30,size=29") == nil)
        let pool = try #require(AddressPool("base=10.5.0.0/28,size=29"))
        let chooser = SubnetChooser(pools: [pool])
        let half = try prefix("10.5.0.0/29")
        let whole = try prefix("10.5.0.0/28")
        #expect(try chooser.choose(avoiding: [half]).description == "10.5.0.8/29")
        #expect(throws: NetworkError.self) { try chooser.choose(avoiding: [whole]) }
    }
}

@Suite("Addresses of a network")
struct AddressAllocatorTests {
    private func network(_ subnet: String, range: String? = nil) throws -> NetworkRecord {
        var network = NetworkRecord(id: "n", name: "n", driver: "bridge", created: Timestamp(nanoseconds: 0))
        network.subnet = try prefix(subnet)
        network.gateway = network.subnet?.firstHost
        network.addressRange = try range.map(prefix)
        return network
    }

    private func endpoint(_ text: String) throws -> EndpointRecord {
        var endpoint = EndpointRecord(id: text, containerID: "c", containerName: "c", networkID: "n")
        endpoint.address = try prefix(text)
        return endpoint
    }

    @Test("the lowest free one, never the gateway, the network or its broadcast address")
    func lowest() throws {
        let network = try network("10.1.0.0/29")
        var taken: [EndpointRecord] = []
        for expected in 2...6 {
            let next = try AddressAllocator(network: network, endpoints: taken).next(wanted: nil)
            #expect(next.description == "10.1.0.\(expected)/29")
            taken.append(try endpoint(next.description))
        }
        #expect(throws: NetworkError.self) {
            try AddressAllocator(network: network, endpoints: taken).next(wanted: nil)
        }
        taken.remove(at: 1)
        #expect(try AddressAllocator(network: network, endpoints: taken).next(wanted: nil).description == "10.1.0.3/29")
    }

    @Test("from the range, when there is one; reserved addresses are left out")
    func range() throws {
        var network = try network("172.28.5.0/24", range: "172.28.5.128/25")
        network.reserved = ["r": try address("172.28.5.128")]
        let next = try AddressAllocator(network: network, endpoints: []).next(wanted: nil)
        #expect(next.description == "172.28.5.129/24")
    }

    @Test("a wanted one, if it is in the subnet and free")
    func wanted() throws {
        let allocator = try AddressAllocator(
            network: try network("10.1.0.0/24"), endpoints: [try endpoint("10.1.0.9/24")])
        let (free, taken, outside) = (try address("10.1.0.200"), try address("10.1.0.9"), try address("10.2.0.9"))
        #expect(try allocator.next(wanted: free).description == "10.1.0.200/24")
        #expect(throws: NetworkError(.conflict, "Address already in use")) { try allocator.next(wanted: taken) }
        #expect(throws: NetworkError.self) { try allocator.next(wanted: outside) }
    }
}

@Suite("Published ports")
struct PortMappingTests {
    @Test(
        "docker's bindings",
        arguments: [
            ("80/tcp", "", "8080", PortMapping(containerPort: 80, hostPorts: 8080...8080)),
            ("80", "127.0.0.1", "", PortMapping(containerPort: 80, hostIP: .loopback)),
            ("53/udp", "0.0.0.0", "0", PortMapping(containerPort: 53, proto: .udp, hostIP: .any)),
            ("53/udp", "::", "", PortMapping(containerPort: 53, proto: .udp, hostIP: .anyIPv6)),
            ("80/tcp", "", "8000-8010", PortMapping(containerPort: 80, hostPorts: 8000...8010)),
            ("9/SCTP", "", "9", PortMapping(containerPort: 9, proto: .sctp, hostPorts: 9...9)),
        ])
    func parses(_ key: String, _ ip: String, _ port: String, _ expected: PortMapping) throws {
        #expect(try PortMapping(binding: key, hostIP: ip, hostPort: port) == expected)
    }

    @Test(
        "what is no port",
        arguments: [
            ("0/tcp", "", ""), ("80/icmp", "", ""), ("65536/tcp", "", ""), ("x", "", ""), ("80/tcp", "1.2.3", "80"),
            ("80/tcp", "", "9-8"), ("80/tcp", "", "1-2-3"), ("80/tcp", "", "70000"), ("80/tcp", "", "-"),
        ])
    func refuses(_ key: String, _ ip: String, _ port: String) {
        #expect(throws: NetworkError.self) { try PortMapping(binding: key, hostIP: ip, hostPort: port) }
    }
}

@Suite("Firewall rules")
struct FirewallRulesTests {
    private func published(_ host: HostAddress, _ port: UInt16, _ target: String) throws -> FirewallRules.Element {
        let bound = BoundPort(containerPort: 80, proto: .tcp, hostIP: host, hostPort: port)
        return .published(bound, target: .ipv4(try address(target)))
    }

    private func rules() throws -> FirewallRules {
        FirewallRules(
            bridges: [.init(name: "br7", subnet: try prefix("10.1.0.0/24"))],
            elements: [try published(.any, 8080, "10.1.0.2"), try published(.loopback, 8081, "10.1.0.3")])
    }

    @Test("one transaction replaces the whole table")
    func replacement() throws {
        let text = try rules().replacement(table: "swrun")
        #expect(text.hasPrefix("add table ip swrun\ndelete table ip swrun\ntable ip swrun {\n"))
        #expect(text.contains("elements = { tcp . 8080 : 10.1.0.2 . 80 }"))
        #expect(text.contains("elements = { 127.0.0.1 . tcp . 8081 : 10.1.0.3 . 80 }"))
        #expect(text.contains("ip saddr 10.1.0.0/24 oifname != \"br7\" masquerade"))
        #expect(text.contains("iifname != \"br7\" oifname \"br7\" drop"))
    }

    @Test("a port more or less changes one element")
    func changes() throws {
        let old = try rules()
        var new = old
        new.elements.remove(try published(.any, 8080, "10.1.0.2"))
        new.elements.insert(try published(.any, 9090, "10.1.0.4"))
        #expect(
            new.changes(from: old, table: "t") == """
                delete element ip t published_anywhere { tcp . 8080 }
                add element ip t published_anywhere { tcp . 9090 : 10.1.0.4 . 80 }

                """)
    }

    @Test("another bridge asks for a new table")
    func bridges() throws {
        var new = try rules()
        new.bridges.append(.init(name: "br8", subnet: try prefix("10.2.0.0/24")))
        let old = try rules()
        #expect(new.changes(from: old, table: "t") == nil)
    }

    @Test("an internal network reaches nothing and is reached by nothing")
    func isInternal() throws {
        let bridge = FirewallRules.Bridge(name: "br9", subnet: try prefix("10.3.0.0/24"), isInternal: true)
        let text = FirewallRules(bridges: [bridge]).replacement(table: "t")
        #expect(text.contains("iifname \"br9\" oifname != \"br9\" drop"))
        #expect(!text.contains("oifname != \"br9\" masquerade"))
    }

    @Test("tables of daemons side by side", arguments: [("swrun0", "swrun"), ("br-1", "swrun_br_1")])
    func tableName(_ bridge: String, _ expected: String) {
        var configuration = NetworkServiceConfiguration(dataRoot: FilePath("/d"), execRoot: FilePath("/e"))
        configuration.bridge = bridge
        #expect(configuration.tableName == expected)
    }
}

@Suite("resolv.conf")
struct ResolvConfTests {
    @Test(
        "servers that a container cannot reach are left out",
        arguments: [
            ("nameserver 10.0.0.1\nnameserver 127.0.0.53\n", "nameserver 10.0.0.1\n"),
            ("nameserver 127.0.0.1\n", "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"),
            ("nameserver fe80::1%eth0\nnameserver 9.9.9.9 # quad\n", "nameserver 9.9.9.9\n"),
            (
                "; c\nsearch a b\ndomain c\noptions ndots:2 edns0\nnameserver 1.1.1.1\n",
                "nameserver 1.1.1.1\nsearch c\noptions ndots:2 edns0\n"
            ),
        ])
    func filters(_ host: String, _ expected: String) {
        #expect(ResolvConf(parsing: host).reachableFromContainer().text == expected)
    }

    @Test("flags replace what the host has")
    func overriding() {
        let host = ResolvConf(nameservers: ["10.0.0.1"], search: ["a"], options: ["x"])
        #expect(
            host.overriding(nameservers: ["1.1.1.1"], search: ["."], options: []).text
                == "nameserver 1.1.1.1\noptions x\n")
    }
}

@Suite("Records")
struct NetworkRecordTests {
    @Test("are stored and read back whole")
    func roundTrip() throws {
        var network = NetworkRecord(id: "a", name: "n", driver: "bridge", created: Timestamp(nanoseconds: 5))
        network.bridge = "br-1"
        network.subnet = try prefix("10.1.0.0/24")
        network.gateway = try address("10.1.0.1")
        network.addressRange = try prefix("10.1.0.128/25")
        network.reserved = ["r": try address("10.1.0.7")]
        network.isInternal = true
        network.options = ["o": "1"]
        network.labels = ["l": "2"]
        #expect(NetworkRecord(json: network.json) == network)
        var endpoint = EndpointRecord(id: "e", containerID: "c", containerName: "w", networkID: "a")
        endpoint.address = try prefix("10.1.0.2/24")
        endpoint.macAddress = MACAddress(for: try address("10.1.0.2"))
        endpoint.gateway = network.gateway
        endpoint.hostLink = "veth1"
        endpoint.interface = "eth0"
        endpoint.ports = [BoundPort(containerPort: 80, proto: .udp, hostIP: .loopback, hostPort: 8080)]
        endpoint.aliases = ["x"]
        #expect(EndpointRecord(json: endpoint.json) == endpoint)
    }

    @Test("ids are 64 hexadecimal digits and differ")
    func identifiers() {
        let id = randomIdentifier()
        #expect(id.utf8.count == 64)
        #expect(id.filter(\.isHexDigit) == id)
        #expect(id != randomIdentifier())
    }
}

@Suite("Our own nftables transactions")
struct OwnGenerationsTests {
    @Test("are known once by their number, unless another program's came in between")
    func own() {
        var own = OwnGenerations()
        own.note(before: 7, after: 8)
        own.note(before: 8, after: 8)  // nothing was changed
        own.note(before: 8, after: 10)
        own.note(before: .max, after: 0)
        own.note(before: nil, after: 3)
        let numbers: [UInt32?] = [8, 8, 9, 10, 3, nil, 0]
        let answers = numbers.map { own.take($0) }
        #expect(answers == [true, false, false, false, false, false, true])
    }

    @Test("those that are never reported are forgotten some time")
    func bounded() {
        var own = OwnGenerations()
        for number in 0..<1000 { own.note(before: UInt32(number), after: UInt32(number) + 1) }
        let numbers: [UInt32?] = [1, 1000]
        let answers = numbers.map { own.take($0) }
        #expect(answers == [false, true])
    }
}

@Suite("MTU")
struct MTUTests {
    @Test(
        "of a network is what bridges take",
        arguments: [("68", 68), ("65535", 65535), ("67", nil), ("65536", nil), ("-1", nil), ("x", nil), ("", nil)]
            as [(String, Int?)])
    func range(_ text: String, _ expected: Int?) { #expect(NetworkRecord.mtu(text) == expected) }
}

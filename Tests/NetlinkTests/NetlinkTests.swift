// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import Netlink

/// Annotated hex: everything after `#` on a line is for people.
func bytes(_ text: String) -> [UInt8] {
    text.split(separator: "\n").flatMap { line in
        line.prefix { $0 != "#" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
    }
}

private func prefix(_ text: String) throws -> IPv4Prefix { try #require(IPv4Prefix(text)) }
private func address(_ text: String) throws -> IPv4Address { try #require(IPv4Address(text)) }

@Suite("Netlink requests, byte for byte")
struct NetlinkRequestTests {
    @Test("a bridge")
    func bridge() throws {
        let operation = NetlinkOperation.addBridge("br0", address: MACAddress(for: try address("10.0.0.1")), mtu: 1400)
        #expect(
            operation.message(sequence: 7)
                == bytes(
                    """
                    4c 00 00 00              # nlmsg_len 76
                    10 00 05 06              # RTM_NEWLINK, REQUEST|ACK|EXCL|CREATE
                    07 00 00 00 00 00 00 00  # sequence 7, port 0
                    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # ifinfomsg
                    08 00 03 00 62 72 30 00  # IFLA_IFNAME br0
                    0a 00 01 00 02 42 0a 00 00 01 00 00  # IFLA_ADDRESS, padded
                    08 00 04 00 78 05 00 00  # IFLA_MTU 1400
                    10 00 12 00              # IFLA_LINKINFO
                    0b 00 01 00 62 72 69 64 67 65 00 00  # IFLA_INFO_KIND bridge, padded
                    """))
    }

    @Test("a veth pair with its peer in another namespace")
    func veth() throws {
        let namespace = try open(FilePath("/dev/null"), 0)
        let operation = NetlinkOperation.addVeth(
            host: VethEnd("veth1"), master: 9, peer: VethEnd("eth0"), namespace: namespace)
        var expected = bytes(
            """
            6c 00 00 00              # nlmsg_len 108
            10 00 05 06              # RTM_NEWLINK, REQUEST|ACK|EXCL|CREATE
            01 00 00 00 00 00 00 00
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # ifinfomsg
            0a 00 03 00 76 65 74 68 31 00 00 00  # IFLA_IFNAME veth1, padded
            08 00 0a 00 09 00 00 00  # IFLA_MASTER 9
            38 00 12 00              # IFLA_LINKINFO
            09 00 01 00 76 65 74 68 00 00 00 00  # IFLA_INFO_KIND veth, padded
            28 00 02 00              # IFLA_INFO_DATA
            24 00 01 00              # VETH_INFO_PEER
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # the peer's ifinfomsg
            """)
        expected += bytes("09 00 03 00 65 74 68 30 00 00 00 00  # IFLA_IFNAME eth0")
        expected += bytes("08 00 1c 00")  // IFLA_NET_NS_FD
        expected += withUnsafeBytes(of: UInt32(namespace.raw).littleEndian) { Array($0) }
        expected[0] = UInt8(expected.count)
        #expect(operation.message(sequence: 1).count == expected.count)
        for (offset, wanted) in Self.nestedLengths(of: expected) { expected[offset] = wanted }
        #expect(operation.message(sequence: 1) == expected)
    }

    /// The lengths of the three nested attributes, all of which end with the message.
    private static func nestedLengths(of message: [UInt8]) -> [(Int, UInt8)] {
        [52, 68, 72].map { ($0, UInt8(message.count - $0)) }
    }

    @Test("an address")
    func addAddress() throws {
        #expect(
            NetlinkOperation.addAddress(try prefix("172.30.0.2/24"), linkIndex: 5).message(sequence: 2)
                == bytes(
                    """
                    30 00 00 00              # nlmsg_len 48
                    14 00 05 06              # RTM_NEWADDR, REQUEST|ACK|EXCL|CREATE
                    02 00 00 00 00 00 00 00
                    02 18 00 00 05 00 00 00  # ifaddrmsg: AF_INET, /24, link 5
                    08 00 02 00 ac 1e 00 02  # IFA_LOCAL
                    08 00 01 00 ac 1e 00 02  # IFA_ADDRESS
                    08 00 04 00 ac 1e 00 ff  # IFA_BROADCAST
                    """))
    }

    @Test("a default route")
    func defaultRoute() throws {
        let operation = NetlinkOperation.addRoute(
            try prefix("0.0.0.0/0"), gateway: try address("172.30.0.1"), linkIndex: 5)
        #expect(
            operation.message(sequence: 3)
                == bytes(
                    """
                    2c 00 00 00              # nlmsg_len 44
                    18 00 05 06              # RTM_NEWROUTE, REQUEST|ACK|EXCL|CREATE
                    03 00 00 00 00 00 00 00
                    02 00 00 00              # rtmsg: AF_INET, /0
                    fe 03 00 01              # table main, protocol boot, scope universe, unicast
                    00 00 00 00
                    08 00 05 00 ac 1e 00 01  # RTA_GATEWAY
                    08 00 04 00 05 00 00 00  # RTA_OIF
                    """))
    }

    @Test("bridge port options")
    func bridgePort() {
        #expect(
            NetlinkOperation.setBridgePort("v0", hairpin: true, isolated: false).message(sequence: 4)
                == bytes(
                    """
                    4c 00 00 00              # nlmsg_len 76
                    10 00 05 00              # RTM_NEWLINK, REQUEST|ACK: the link must exist
                    04 00 00 00 00 00 00 00
                    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # ifinfomsg
                    07 00 03 00 76 30 00 00  # IFLA_IFNAME v0, padded
                    24 00 12 00              # IFLA_LINKINFO
                    0b 00 04 00 62 72 69 64 67 65 00 00  # IFLA_INFO_SLAVE_KIND bridge, padded
                    14 00 05 00              # IFLA_INFO_SLAVE_DATA
                    05 00 04 00 01 00 00 00  # IFLA_BRPORT_MODE on, padded
                    05 00 21 00 00 00 00 00  # IFLA_BRPORT_ISOLATED off, padded
                    """))
    }

    @Test("no IPv6 addresses on a link")
    func noIPv6() {
        #expect(
            NetlinkOperation.withoutIPv6Addresses("v0").message(sequence: 1)
                == bytes(
                    """
                    38 00 00 00
                    13 00 05 00              # RTM_SETLINK, REQUEST|ACK
                    01 00 00 00 00 00 00 00
                    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # ifinfomsg
                    07 00 03 00 76 30 00 00  # IFLA_IFNAME v0, padded
                    10 00 1a 00              # IFLA_AF_SPEC
                    0c 00 0a 00              # AF_INET6
                    05 00 08 00 01 00 00 00  # IFLA_INET6_ADDR_GEN_MODE none, padded
                    """))
    }
}

@Suite("Netlink replies")
struct NetlinkReplyTests {
    @Test("an error with the kernel's own words")
    func extendedAck() throws {
        let datagram = bytes(
            """
            30 00 00 00 02 00 00 03 09 00 00 00 01 00 00 00  # NLMSG_ERROR, CAPPED|ACK_TLVS, sequence 9
            ea ff ff ff              # -22
            10 00 00 00 18 00 05 06 09 00 00 00 00 00 00 00  # the request's header
            0a 00 01 00 6e 6f 20 67 77 00 00 00  # NLMSGERR_ATTR_MSG "no gw"
            """)
        let messages = NetlinkMessage.split(datagram[...])
        #expect(messages.count == 1)
        let message = try #require(messages.first)
        #expect(message.sequence == 9)
        let answer = try #require(message.errorCode())
        #expect(answer.errno == 22)
        #expect(answer.text == "no gw")
    }

    @Test("an acknowledgement is an error with code 0")
    func acknowledgement() throws {
        let datagram = bytes("14 00 00 00 02 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00")
        #expect(try #require(NetlinkMessage.split(datagram[...]).first?.errorCode()).errno == 0)
    }

    @Test("a link")
    func link() throws {
        let payload = bytes(
            """
            00 00 01 00 07 00 00 00 43 10 01 00 00 00 00 00  # ifinfomsg: index 7, flags with IFF_UP
            09 00 03 00 65 74 68 30 00 00 00 00  # IFLA_IFNAME eth0
            08 00 04 00 dc 05 00 00  # IFLA_MTU 1500
            08 00 0a 00 03 00 00 00  # IFLA_MASTER 3
            0a 00 01 00 02 42 ac 11 00 02 00 00  # IFLA_ADDRESS
            10 00 12 80 09 00 01 00 76 65 74 68 00 00 00 00  # IFLA_LINKINFO, nested: kind veth
            """)
        let link = try #require(Link(payload[...]))
        #expect(link.index == 7)
        #expect(link.name == "eth0")
        #expect(link.isUp)
        #expect(link.mtu == 1500)
        #expect(link.master == 3)
        #expect(link.kind == "veth")
        #expect(link.address?.description == "02:42:ac:11:00:02")
    }

    @Test("a route of the main table")
    func route() throws {
        let payload = bytes(
            """
            02 10 00 00 fe 02 fd 01 00 00 00 00  # rtmsg: AF_INET /16, main, kernel, link, unicast
            08 00 01 00 ac 1e 00 00  # RTA_DST
            08 00 04 00 04 00 00 00  # RTA_OIF
            """)
        let route = try #require(Route(payload[...]))
        #expect(route.destination.description == "172.30.0.0/16")
        #expect(route.linkIndex == 4)
        #expect(route.gateway == nil)
    }

    @Test("bytes cut off at any place are no crash and no message")
    func truncated() {
        let whole = bytes(
            """
            30 00 00 00 02 00 00 03 09 00 00 00 01 00 00 00
            ea ff ff ff 10 00 00 00 18 00 05 06 09 00 00 00 00 00 00 00
            0a 00 01 00 6e 6f 20 67 77 00 00 00
            """)
        for count in 0..<whole.count {
            #expect(NetlinkMessage.split(whole[..<count]).isEmpty)
            var attributes = NetlinkAttributes(whole[..<count])
            while attributes.next() != nil {}
            _ = Link(whole[..<count])
            _ = Route(whole[..<count])
            _ = LinkAddress(whole[..<count])
        }
    }
}

@Suite("IPv4 texts")
struct IPv4Tests {
    @Test(
        "addresses that are none",
        arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.a", "1..2.3", "+1.2.3.4"])
    func bad(_ text: String) { #expect(IPv4Address(text) == nil) }

    @Test(
        "prefixes that are none",
        arguments: ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "/8", "10.0.0/8"])
    func badPrefix(_ text: String) { #expect(IPv4Prefix(text) == nil) }

    @Test("a prefix knows its range")
    func range() throws {
        let prefix = try #require(IPv4Prefix("172.30.5.9/20"))
        #expect(prefix.first.description == "172.30.0.0")
        #expect(prefix.last.description == "172.30.15.255")
        #expect(prefix.network.description == "172.30.0.0/20")
        #expect(prefix.contains(try #require(IPv4Address("172.30.15.1"))))
        #expect(!prefix.contains(try #require(IPv4Address("172.30.16.1"))))
    }

    @Test(
        "overlap",
        arguments: [
            ("10.0.0.0/8", "10.1.0.0/16", true), ("10.0.0.0/24", "10.0.1.0/24", false),
            ("0.0.0.0/0", "1.2.3.4/32", true),
        ])
    func overlap(_ left: String, _ right: String, _ expected: Bool) throws {
        let left = try #require(IPv4Prefix(left))
        let right = try #require(IPv4Prefix(right))
        #expect(left.overlaps(right) == expected)
        #expect(right.overlaps(left) == expected)
    }

    @Test("MAC addresses")
    func mac() throws {
        #expect(MACAddress("02:42:ac:11:00:02")?.bytes == [2, 0x42, 0xac, 0x11, 0, 2])
        #expect(MACAddress("02:42:ac:11:00") == nil)
        #expect(MACAddress("02:42:ac:11:00:zz") == nil)
        #expect(MACAddress(for: try #require(IPv4Address("10.0.0.2"))).description == "02:42:0a:00:00:02")
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Netlink

@Suite("IPv6 addresses and messages")
struct IPv6Tests {
    @Test(
        "texts are normal forms of addresses",
        arguments: [
            ("fd00:0:0::7", "fd00::7"), ("::", "::"), ("2001:DB8::1:0:0:1", "2001:db8::1:0:0:1"), ("1.2.3.4", nil),
            ("fd00::/64", nil), ("fe80::1%eth0", nil), ("", nil),
        ] as [(String, String?)])
    func addresses(_ text: String, _ expected: String?) { #expect(IPv6Address(text)?.description == expected) }

    @Test("a prefix knows its ends and what is in it")
    func prefixes() throws {
        let prefix = try #require(IPv6Prefix("fd00:1::7/64"))
        #expect(prefix.description == "fd00:1::7/64" && prefix.network.description == "fd00:1::/64")
        #expect(prefix.last.description == "fd00:1::ffff:ffff:ffff:ffff")
        #expect(prefix.contains(try #require(IPv6Address("fd00:1::ff"))))
        #expect(!prefix.contains(try #require(IPv6Address("fd00:2::7"))))
        #expect(prefix.overlaps(try #require(IPv6Prefix("fd00::/16"))))
        #expect(IPv6Prefix("fd00::/129") == nil && IPv6Prefix("fd00::") == nil && IPv6Prefix("fd00::/064") == nil)
    }

    @Test("an address is added without a search for duplicates")
    func addAddress() throws {
        let prefix = try #require(IPv6Prefix("fd00::2/64"))
        let address: [UInt8] = [0xfd] + [UInt8](repeating: 0, count: 14) + [2]
        let header: [UInt8] = [0x40, 0, 0, 0, 0x14, 0, 0x05, 0x06, 1, 0, 0, 0, 0, 0, 0, 0]  // RTM_NEWADDR, create
        let body: [UInt8] = [10, 64, 2, 0, 5, 0, 0, 0]  // ifaddrmsg: AF_INET6, IFA_F_NODAD, link 5
        let local: [UInt8] = [20, 0, 2, 0] + address
        let own: [UInt8] = [20, 0, 1, 0] + address
        let message = NetlinkOperation.addAddress(prefix, linkIndex: 5).message(sequence: 1)
        #expect(message == header + body + local + own)
    }

    @Test("a default route")
    func addRoute() throws {
        let gateway = try #require(IPv6Address("fd00::1"))
        let message = NetlinkOperation.addDefaultRoute(via: gateway, linkIndex: 5).message(sequence: 1)
        let header: [UInt8] = [0x38, 0, 0, 0, 0x18, 0, 0x05, 0x06, 1, 0, 0, 0, 0, 0, 0, 0]  // RTM_NEWROUTE, create
        let body: [UInt8] = [10, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]  // rtmsg: AF_INET6, main table, unicast
        let via: [UInt8] = [20, 0, 5, 0] + gateway.bytes
        #expect(message == header + body + via + [8, 0, 4, 0, 5, 0, 0, 0])
    }
}

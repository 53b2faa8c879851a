// SPDX-License-Identifier: Apache-2.0
import Netlink
import Testing

@testable import Networking

@Suite("Names of containers") struct NameServerTests {
    /// A question for `name`, as a resolver writes it.
    private func question(_ name: String, type: UInt16 = 1, flags: UInt8 = 1) -> [UInt8] {
        var bytes: [UInt8] = [0xab, 0xcd, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.split(separator: ".") { bytes += [UInt8(label.utf8.count)] + Array(label.utf8) }
        return bytes + [0, UInt8(type >> 8), UInt8(type & 0xff), 0, 1]
    }

    private func address(_ text: String) throws -> IPv4Address { try #require(IPv4Address(text)) }

    @Test("A question is read, and its answer repeats it") func answersQuestion() throws {
        let query = try #require(DNSQuery(question("Web.Example")))
        #expect(query.name == "web.example")
        let answer = query.answer(addresses: [try address("10.1.2.3")], limit: 512)
        #expect(answer.prefix(8) == [0xab, 0xcd, 0x81, 0x80, 0, 1, 0, 1])
        #expect(Array(answer[12..<12 + query.question.count]) == query.question)
        #expect(answer.suffix(16) == [0xc0, 12, 0, 1, 0, 1, 0, 0, 2, 0x58, 0, 4, 10, 1, 2, 3])
    }

    @Test("What does not fit a datagram is left out, and the answer says so") func truncates() throws {
        let query = try #require(DNSQuery(question("web")))
        let many = (0..<60).map { IPv4Address(rawValue: 0x0a00_0000 + UInt32($0)) }
        let answer = query.answer(addresses: many, limit: 512)
        #expect(answer.count <= 512)
        #expect(answer[2] & 0x02 != 0)
        #expect(query.answer(addresses: many, limit: 65535)[2] & 0x02 == 0)
    }

    @Test(
        "Malformed questions are none",
        arguments: [
            [], [UInt8](repeating: 0, count: 12), [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63],
            [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            [0, 1, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1],
            [0, 1, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1],
        ] as [[UInt8]]) func malformed(_ bytes: [UInt8])
    {
        #expect(DNSQuery(bytes) == nil)
    }

    @Test("A reverse name is an address") func reverse() throws {
        #expect(DNSQuery(question("4.3.2.1.in-addr.arpa", type: 12))?.reverseAddress == .ipv4(try address("1.2.3.4")))
        let digits = "1" + String(repeating: ".0", count: 29) + ".d.f"
        let ipv6 = try #require(IPv6Address("fd00::1"))
        #expect(DNSQuery(question(digits + ".ip6.arpa", type: 12))?.reverseAddress == .ipv6(ipv6))
        #expect(DNSQuery(question("1.0.ip6.arpa", type: 12))?.reverseAddress == nil)
        #expect(DNSQuery(question("3.2.1.in-addr.arpa", type: 12))?.reverseAddress == nil)
    }

    @Test("Names belong to networks; links to one container") func table() throws {
        var table = NameTable()
        let web = try address("10.0.0.2")
        table.set(.init(network: "n1", networkName: "back", address: web, names: ["Web", "www"]), endpoint: "e1")
        let view = NameTable.View(networks: ["n1"], links: ["n1": ["w": "Web"]])
        #expect(table.places("web", view).map(\.address) == [web])
        #expect(table.places("www.back", view).map(\.address) == [web])
        #expect(table.places("w", view).map(\.address) == [web])
        #expect(table.places("web", NameTable.View(networks: ["n2"])) == [])
        #expect(table.name(of: .ipv4(web), view) == "Web.back")
        table.set(.init(network: "n1", networkName: "back", address: web, names: ["new"]), endpoint: "e1")
        #expect(table.places("web", view) == [])
        table.remove(endpoint: "e1")
        #expect(table.places("new", view) == [])
    }

    @Test("An answer counts only with the id that was sent") func answerIDs() {
        let answer: [UInt8] = [1, 2, 0x80, 3, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(DNSReply.isAnswer(answer[...], id: 0x0102))
        #expect(!DNSReply.isAnswer(answer[...], id: 0x0103))
        #expect(!DNSReply.isAnswer([1, 2][...], id: 0x0102))
        #expect(!DNSReply.isFailure(answer[...]))
        #expect(DNSReply.withID(0x0506, answer).prefix(3) == [5, 6, 0x80])
    }

    @Test("A container with names has one server, and asks names without a dot as they are") func resolvConf() {
        let host = ResolvConf(nameservers: ["9.9.9.9"], search: ["a.b"], options: ["edns0"])
        #expect(
            host.embedded(ResolverSockets.address).text == "nameserver 127.0.0.11\nsearch a.b\noptions edns0 ndots:0\n")
    }
}

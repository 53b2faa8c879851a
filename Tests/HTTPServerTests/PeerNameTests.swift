// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import HTTPServer

@Suite("The name in a client's certificate")
struct PeerNameTests {
    private static func element(_ tag: UInt8, _ parts: [UInt8]...) -> [UInt8] {
        let content = parts.flatMap { $0 }
        return [tag, UInt8(content.count)] + content
    }

    private static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap { $0 }) }

    private static func certificate(version: [UInt8], subject: [UInt8]) -> [UInt8] {
        let serial = element(0x02, [1])
        return sequence(sequence(version, serial, sequence(), sequence(), sequence(), subject))
    }

    private static func attribute(_ type: UInt8, _ text: String) -> [UInt8] {
        element(0x31, sequence(element(0x06, [0x55, 0x04, type]), element(0x0C, Array(text.utf8))))
    }

    @Test("is the common name of its subject", arguments: [[], [0xA0, 3, 2, 1, 2]] as [[UInt8]])
    func commonName(_ version: [UInt8]) {
        let subject = Self.sequence(Self.attribute(10, "company"), Self.attribute(3, "client"))
        #expect(PeerName.commonName(Self.certificate(version: version, subject: subject)) == "client")
    }

    @Test("is empty where there is none, and in what is no certificate")
    func nothing() {
        let without = Self.certificate(version: [], subject: Self.sequence(Self.attribute(10, "company")))
        #expect(PeerName.commonName(without).isEmpty)
        for length in 0..<without.count { #expect(PeerName.commonName(Array(without.prefix(length))).isEmpty) }
        #expect(PeerName.commonName([0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]).isEmpty)
    }
}

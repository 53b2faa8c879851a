// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import SupervisorGRPC
import Testing

@Suite("Pings over HTTP/2")
struct PingResponderTests {
    private static let preface = [UInt8]("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
    private static let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    private static let answer: [UInt8] = [0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    private static let data: [UInt8] = [0, 0, 20, 0, 0, 0, 0, 0, 1] + ping + [9, 9, 9]  // a ping inside data is data

    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(PingResponder())
        return channel
    }

    private func readAll(_ read: () throws -> ByteBuffer?) rethrows -> [UInt8] {
        var bytes: [UInt8] = []
        while let buffer = try read() { bytes += buffer.readableBytesView }
        return bytes
    }

    @Test("are answered, and everything else goes on, however the bytes arrive", arguments: [1, 2, 7, 9, 16, 17, 1000])
    func answers(_ piece: Int) throws {
        let channel = try channel()
        let sent = Self.preface + Self.settings + Self.ping + Self.data + Self.answer + Self.ping + Self.settings
        for start in stride(from: 0, to: sent.count, by: piece) {
            try channel.writeInbound(ByteBuffer(bytes: sent[start..<min(start + piece, sent.count)]))
        }
        let passed = try readAll { try channel.readInbound(as: ByteBuffer.self) }
        let answered = try readAll { try channel.readOutbound(as: ByteBuffer.self) }
        #expect(passed == Self.preface + Self.settings + Self.data + Self.answer + Self.settings)
        #expect(answered == Self.answer + Self.answer)
    }

    @Test("end the connection of a client that reads no answers")
    func flood() throws {
        let channel = try channel()
        channel.isWritable = false
        try channel.writeInbound(ByteBuffer(bytes: Self.preface + Self.ping + Self.ping))
        #expect(!channel.isActive)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    }
}

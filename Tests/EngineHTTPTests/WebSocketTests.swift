// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Testing

@testable import EngineHTTP

@Suite("Web sockets")
struct WebSocketTests {
    private static let mask: [UInt8] = [1, 2, 3, 4]

    private static func frame(_ first: UInt8, _ payload: String) -> [UInt8] {
        let bytes = Array(payload.utf8)
        let size: [UInt8] =
            bytes.count < 126 ? [128 | UInt8(bytes.count)] : [254, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)]
        return [first] + size + mask + bytes.enumerated().map { $0.element ^ mask[$0.offset % 4] }
    }

    @Test("finds the same messages however the bytes are cut", arguments: [1, 2, 3, 7, 1000])
    func cut(_ size: Int) throws {
        let long = String(repeating: "0123456789", count: 40)
        let bytes =
            Self.frame(0x82, "one") + Self.frame(0x89, "ping") + Self.frame(0x02, "two ") + Self.frame(0x80, long)
            + Self.frame(0x8A, "") + Self.frame(0x88, "")
        var decoder = WebSocketDecoder()
        var (data, pings, isClosed) = ([UInt8](), [[UInt8]](), false)
        for start in stride(from: 0, to: bytes.count, by: size) {
            decoder.append(Array(bytes[start..<min(start + size, bytes.count)]))
            while let event = try decoder.next() {
                switch event {
                case .data(let piece): data += piece
                case .ping(let payload): pings.append(payload)
                case .close: isClosed = true
                }
                if isClosed { break }
            }
        }
        #expect(String(decoding: data, as: UTF8.self) == "onetwo " + long)
        #expect(pings == [Array("ping".utf8)])
        #expect(isClosed)
    }

    @Test(
        "refuses what the protocol does not know",
        arguments: [
            [0xFF, 0xFF, 0, 0, 0, 0], [0x82, 0x01, 0x61], [0x83, 0x80, 0, 0, 0, 0], [0x09, 0x80, 0, 0, 0, 0],
            [0x89, 0xFE, 0, 200, 0, 0, 0, 0], [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ])
    func malformed(_ bytes: [UInt8]) {
        var decoder = WebSocketDecoder()
        decoder.append(bytes)
        #expect(throws: WebSocketDecoder.Failure.self) { try decoder.next() }
    }

    @Test("writes lengths in the shortest form", arguments: [(125, 2), (126, 4), (65535, 4), (65536, 10)])
    func encode(_ count: Int, _ head: Int) {
        let frame = WebSocketDecoder.encode(opcode: 2, [UInt8](repeating: 7, count: count))
        #expect(frame.count == count + head && frame[0] == 0x82)
    }

    @Test("answers RFC 6455's example")
    func handshake() throws {
        var headers = HeaderFields()
        for (name, value) in [
            ("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] { headers.append(name, value) }
        let answer = try #require(WebSocketHandshake(headers)).answer
        #expect(answer.contains { $0.name == "Sec-WebSocket-Accept" && $0.value == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" })
        #expect(WebSocketHandshake(HeaderFields()) == nil)
    }
}

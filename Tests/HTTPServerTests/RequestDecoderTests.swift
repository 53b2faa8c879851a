// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import HTTPServer

/// Everything that a decoder makes of some bytes, as text.
private func decode(_ pieces: [String]) -> [String] {
    var decoder = RequestDecoder()
    var seen: [String] = []
    do {
        for piece in pieces {
            decoder.append(Array(piece.utf8))
            while let part = try decoder.next() {
                switch part {
                case .head(let head): seen.append("\(head.method) \(head.target) \(head.framing)")
                case .body(let data): seen.append("body " + String(decoding: data, as: UTF8.self))
                case .end: seen.append("end")
                }
            }
        }
    } catch {
        return seen + ["\(error.status.code) \(error.reason)"]
    }
    let rest = decoder.takeRest()
    return rest.isEmpty ? seen : seen + ["rest " + String(decoding: rest, as: UTF8.self)]
}

@Suite("Request decoder")
struct RequestDecoderTests {
    private static let host = "Host: d\r\n"

    @Test(
        "reads well-formed requests",
        arguments: [
            ("GET / HTTP/1.1\r\n\(host)\r\n", ["GET / none", "end"]),
            ("GET / HTTP/1.0\r\n\r\n", ["GET / none", "end"]),
            ("\r\nGET / HTTP/1.1\r\n\(host)\r\n", ["GET / none", "end"]),
            ("GET http://d/x?y HTTP/1.1\r\n\(host)\r\n", ["GET /x?y none", "end"]),
            ("POST /a HTTP/1.1\r\n\(host)Content-Length: 3\r\n\r\nabc", ["POST /a length(3)", "body abc", "end"]),
            ("POST /a HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n", ["POST /a none", "end"]),
            (
                "POST /a HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n",
                ["POST /a chunked", "body abc", "body 0123456789", "end"]
            ),
            (
                "POST /a HTTP/1.1\r\n\(host)Transfer-Encoding: CHUNKED\r\n\r\n0\r\nTrailer: x\r\n\r\n",
                ["POST /a chunked", "end"]
            ),
        ])
    func wellFormed(_ text: String, _ expected: [String]) {
        #expect(decode([text]) == expected)
    }

    @Test(
        "leaves what follows the message",
        arguments: [
            "POST /exec/1/start HTTP/1.1\r\n\(host)Content-Length: 2\r\n\r\n{}stdin",
            "POST /exec/1/start HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nstdin",
        ])
    func keepsRest(_ text: String) {
        #expect(decode([text]).suffix(3) == ["body {}", "end", "rest stdin"])
    }

    @Test("finds the same parts whatever way the bytes are cut")
    func everyCut() {
        let text =
            "POST /a HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\nGET"
        for cut in text.indices {
            let parts = decode([String(text[..<cut]), String(text[cut...])])
            #expect(parts.first == "POST /a chunked")
            #expect(parts.filter { $0.hasPrefix("body ") }.map { $0.dropFirst(5) }.joined() == "hello")
            #expect(parts.suffix(2) == ["end", "rest GET"])
        }
        #expect(decode(text.map { String($0) }).suffix(2) == ["end", "rest GET"])
    }

    @Test(
        "refuses what could be understood in two ways",
        arguments: [
            ("GET /\r\n\r\n", "400 malformed request line"),
            ("GET  / HTTP/1.1\r\n\r\n", "400 malformed request line"),
            ("GET / HTTP/1.1 \r\n\r\n", "400 malformed request line"),
            ("G@T / HTTP/1.1\r\n\r\n", "400 malformed request line"),
            ("GET /\u{1} HTTP/1.1\r\n\r\n", "400 malformed request target"),
            ("GET / HTTX/1.1\r\n\r\n", "400 malformed HTTP version"),
            ("GET / HTTP/2.0\r\n\r\n", "505 unsupported protocol version"),
            ("GET / HTTP/1.1\nHost: d\n\n", "400 line without carriage return"),
            ("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", "400 carriage return within a line"),
            ("GET / HTTP/1.1\r\n\r\n", "400 missing required Host header"),
            ("GET / HTTP/1.1\r\n\(host)\(host)\r\n", "400 too many Host headers"),
            ("GET / HTTP/1.1\r\n\(host)A: b\r\n folded\r\n\r\n", "400 folded header line"),
            ("GET / HTTP/1.1\r\n\(host)A : b\r\n\r\n", "400 malformed header field name"),
            ("GET / HTTP/1.1\r\n\(host): b\r\n\r\n", "400 malformed header field name"),
            ("GET / HTTP/1.1\r\n\(host)nocolon\r\n\r\n", "400 malformed header field name"),
            ("GET / HTTP/1.1\r\n\(host)A: b\u{0}c\r\n\r\n", "400 control character in header field value"),
            (
                "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                "400 both Content-Length and Transfer-Encoding"
            ),
            (
                "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
                "400 more than one Content-Length"
            ),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: +3\r\n\r\n", "400 malformed Content-Length"),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 3, 3\r\n\r\n", "400 malformed Content-Length"),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999\r\n\r\n", "400 malformed Content-Length"),
            ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400 Transfer-Encoding in an HTTP/1.0 request"),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n", "501 unsupported transfer encoding"),
        ])
    func malformed(_ text: String, _ expected: String) {
        #expect(decode([text]).last == expected)
    }

    @Test(
        "refuses malformed chunks",
        arguments: [
            "x\r\n", "\r\n", "-1\r\n", "1 2\r\n", "fffffffffffffffff\r\n", "1\r\nab\r\n", "1\r\na\n", "0\r\nbad\r\n",
        ])
    func malformedChunks(_ body: String) {
        let head = "POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(decode([head + body]).last?.hasPrefix("400 ") == true)
    }

    @Test("an error is the end of the connection's requests")
    func errorsStay() throws {
        var decoder = RequestDecoder()
        decoder.append(Array("POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n".utf8))
        guard case .head? = try decoder.next() else {
            Issue.record("no head")
            return
        }
        for _ in 0..<2 { #expect(throws: RequestError("malformed chunk size")) { try decoder.next() } }
    }

    @Test("limits the head, finished or not")
    func limits() {
        let long = String(repeating: "a", count: RequestDecoder.maximumHead)
        #expect(decode(["GET /" + long]).last == "431 header too large")
        #expect(decode(["GET / HTTP/1.1\r\nA: " + long + "\r\n\r\n"]).last == "431 header too large")
        let many = String(repeating: "A: b\r\n", count: RequestHeadParser.maximumFields + 1)
        #expect(decode(["GET / HTTP/1.1\r\nHost: d\r\n" + many + "\r\n"]).last == "431 too many header fields")
    }

    @Test("knows whether a connection may end")
    func endings() throws {
        var decoder = RequestDecoder()
        #expect(decoder.isBetweenRequests)
        decoder.append(Array("GET / HT".utf8))
        #expect(try decoder.next() == nil)
        #expect(!decoder.isBetweenRequests)
    }

    @Test("never crashes on noise, and always ends")
    func noise() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("GET /HTTP1.\r\n:chunked0aTransfer-Encoding \0\u{7f};".utf8)
        for _ in 0..<2000 {
            var decoder = RequestDecoder()
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                decoder.append((0..<40).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
                while let part = try? decoder.next() { if part == .end { decoder.startNextRequest() } }
            }
        }
    }
}

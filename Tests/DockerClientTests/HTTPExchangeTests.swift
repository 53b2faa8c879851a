// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import Testing

@testable import DockerClient

/// Responses that a daemon might send, through a socket pair.
@Suite("HTTP responses")
struct HTTPExchangeTests {
    /// A connection on which `text` has arrived and nothing more will.
    private func connection(_ text: String) throws -> HTTPConnection {
        let pair = try UnixSocket.pair()
        try sendAll(pair.second, Array(text.utf8))
        try shutdownWriting(pair.second)
        return HTTPConnection(try pair.first.duplicate())
    }

    private func response(_ headers: [(name: String, value: String)], _ body: String) throws -> HTTPResponse {
        try HTTPResponse(
            status: 200, reason: "200 OK", headers: headers, connection: try connection(body), hasBody: true
        ) { _ in }
    }

    @Test(
        "bodies end where their framing says",
        arguments: [
            (["content-length": "3"], "abcdef", "abc"),
            (["transfer-encoding": "chunked"], "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\nrest", "abcde"),
            ([:], "to the end", "to the end"),
            (["content-length": "0"], "x", ""),
        ])
    func bodies(_ headers: [String: String], _ wire: String, _ body: String) throws {
        let response = try response(headers.map { ($0.key, $0.value) }, wire)
        #expect(String(decoding: try response.readAll(), as: UTF8.self) == body)
    }

    @Test(
        "broken framing is an error, not a short body",
        arguments: [
            (["content-length": "9"], "abc"), (["transfer-encoding": "chunked"], "3\r\nab"),
            (["transfer-encoding": "chunked"], "zz\r\n"), (["transfer-encoding": "chunked"], "3\r\nabc\r\n"),
        ])
    func brokenBodies(_ headers: [String: String], _ wire: String) throws {
        let response = try response(headers.map { ($0.key, $0.value) }, wire)
        #expect(throws: ClientError.self) { try response.readAll() }
    }

    @Test("documents of a stream are found whatever separates them")
    func documents() throws {
        let lines = JSONLines(try response([], "{\"a\":\"}{\\\"\"}\r\n{\"b\":[1,{}]}{\"c\":1}"))
        var seen: [String] = []
        while let document = try lines.next() { seen.append(document.serialized()) }
        #expect(seen == [#"{"a":"}{\""}"#, #"{"b":[1,{}]}"#, #"{"c":1}"#])
    }

    @Test("a stream that ends inside a document is an error")
    func truncated() throws {
        let lines = JSONLines(try response([], "{\"a\":1}{\"b\":"))
        _ = try lines.next()
        #expect(throws: ClientError.self) { try lines.next() }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem
import Logging
import Testing
import Threads

@testable import HTTPServer

/// Answers every request with ten bytes.
private struct TenBytes: Responder {
    let commonHeaders: [(name: String, value: String)] = []

    func respond(to head: RequestHead, body: RequestBody) async -> Response {
        .sized(.ok, contentType: "text/plain", length: 10) { body in
            try await body.write("01234")
            try await body.write("56789")
        }
    }
}

/// Runs `body` with the path of a socket that is served.
private func withServer(
    _ limits: ConnectionLimits, _ body: @escaping @Sendable (FilePath) async throws -> Void
) async throws {
    let path = FilePath("/tmp/swrun-http-\(randomIdentifier().prefix(16)).sock")
    let listener = try UnixSocket.listen(path).relinquish()
    defer { _ = try? removeFile(path) }
    let server = HTTPServer(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.serve(OwnedFD(owning: listener), limits: limits, by: TenBytes()) }
        try await body(path)
        group.cancelAll()
    }
    await server.shutDown()
}

private let request = Array("GET / HTTP/1.1\r\nHost: d\r\n\r\n".utf8)

/// What one more connection gets for a request; empty if it is closed unanswered.
private func ask(_ path: FilePath) throws -> String {
    let socket = try UnixSocket.connect(path)
    guard (try? writeAll(socket, request)) != nil else { return "" }
    shutdown(socket.raw, CInt(SHUT_WR))
    return String(decoding: (try? readAll(socket, limit: 1 << 20)) ?? [], as: UTF8.self)
}

@Suite("Connections")
struct ConnectionTests {
    @Test("a body of known length has no chunks")
    func sized() async throws {
        try await withServer(ConnectionLimits()) { path in
            let answer = try await runOnThread { try ask(path) }
            #expect(answer.contains("\r\nContent-Length: 10\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n0123456789"))
            #expect(!answer.contains("chunked"))
        }
    }

    @Test("one too many is closed, until another has gone")
    func places() async throws {
        try await withServer(ConnectionLimits(connections: 1)) { path in
            try await runOnThread {
                do {
                    let first = try UnixSocket.connect(path)
                    try writeAll(first, request)
                    #expect(try !readSome(first, upTo: 1000).isEmpty)
                    #expect(try ask(path).isEmpty)
                }
                while try ask(path).isEmpty {}  // the server has yet to notice that the first is gone
            }
        }
    }

    @Test(
        "one that says nothing is closed",
        arguments: ["", "GET / HTT", "POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 9\r\n\r\n"])
    func idle(_ text: String) async throws {
        try await withServer(ConnectionLimits(idle: .milliseconds(20))) { path in
            try await runOnThread {
                let socket = try UnixSocket.connect(path)
                try writeAll(socket, Array(text.utf8))
                while try !readSome(socket, upTo: 1000).isEmpty {}  // ends with the connection
            }
        }
    }
}

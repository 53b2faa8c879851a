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

/// Answers every request with the first ten bytes of a file.
private struct FileAnswer: Responder {
    let commonHeaders: [(name: String, value: String)] = []
    let file: FilePath

    func respond(to head: RequestHead, body: RequestBody) async -> Response {
        .stream(.ok, contentType: "text/plain") { [file] body in
            let socket = try #require(body.socket)
            try await runOnThread {
                var buffer: [UInt8] = [1, 2, 3]
                let file = try open(file, O_RDONLY)
                try buffer.withUnsafeMutableBytes { try socket.write(file, count: 10, using: $0) }
            }
        }
    }
}

/// Writes lines of one letter each from two tasks.
private struct TwoWriters: Responder {
    static let lineBytes = 300_000
    static let lines = 20
    let commonHeaders: [(name: String, value: String)] = []

    func respond(to head: RequestHead, body: RequestBody) async -> Response {
        .hijack(contentType: "text/plain") { stream in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for letter in "ab".utf8 {
                    let line = [UInt8](repeating: letter, count: Self.lineBytes) + [UInt8(ascii: "\n")]
                    tasks.addTask { for _ in 0..<Self.lines { try await stream.write(line) } }
                }
                try await tasks.waitForAll()
            }
        }
    }
}

/// Runs `body` with the path of a socket that is served.
private func withServer(
    _ limits: ConnectionLimits, by responder: any Responder = TenBytes(),
    _ body: @escaping @Sendable (FilePath) async throws -> Void
) async throws {
    let path = FilePath("/tmp/swrun-http-\(randomIdentifier().prefix(16)).sock")
    let listener = try UnixSocket.listen(path).relinquish()
    defer { _ = try? removeFile(path) }
    let server = HTTPServer(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.serve(OwnedFD(owning: listener), limits: limits, by: responder) }
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

    @Test(
        "a file goes out by its descriptor; zeros where it ends too early",
        arguments: [("0123456789more", "0123456789"), ("0123", "0123\0\0\0\0\0\0")])
    func file(_ content: String, _ sent: String) async throws {
        let file = FilePath("/tmp/swrun-http-\(randomIdentifier().prefix(16))")
        try writeFileAtomically(file, Array(content.utf8))
        defer { _ = try? removeFile(file) }
        try await withServer(ConnectionLimits(), by: FileAnswer(file: file)) { path in
            let answer = try await runOnThread { try ask(path) }
            #expect(answer.hasSuffix("\r\n\r\na\r\n" + sent + "\r\n0\r\n\r\n"))
        }
    }

    @Test("what two tasks write at the same moment stays whole")
    func twoWriters() async throws {
        try await withServer(ConnectionLimits(), by: TwoWriters()) { path in
            let answer = try await runOnThread {
                let socket = try UnixSocket.connect(path)
                try writeAll(socket, request)
                return try readAll(socket, limit: 1 << 24)
            }
            let lines = answer.split(separator: UInt8(ascii: "\n")).suffix(2 * TwoWriters.lines)
            #expect(lines.allSatisfy { $0.count == TwoWriters.lineBytes && Set($0).count == 1 })
            #expect(lines.count { $0.first == UInt8(ascii: "a") } == TwoWriters.lines)
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

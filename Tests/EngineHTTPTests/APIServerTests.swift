// SPDX-License-Identifier: Apache-2.0
import Engine
import Glibc
import HTTPServer
import LinuxSystem
import Logging
import Testing

@testable import EngineHTTP

/// Routes that show what the server does with bodies, streams and hijacked connections.
private func testRouter(onCancel: @escaping @Sendable () -> Void = {}) -> Router {
    var router = Router()
    router.on(.get, "/hello") { _ in .text(.ok, "hello") }
    router.on(.head, "/hello") { _ in .text(.ok, "hello") }
    router.on(.post, "/echo") { .text(.ok, String(decoding: try await $0.body.collect(upTo: 1 << 20), as: UTF8.self)) }
    router.on(.post, "/refuse") { _ in throw EngineError.conflict("no") }
    router.on(.post, "/json") { .json(.ok, try await $0.json()) }
    router.on(.get, "/lines") { _ in
        .stream(.ok, contentType: "text/plain") { body in
            try await body.write("one\n")
            try await body.write("two\n")
        }
    }
    router.on(.get, "/forever") { _ in
        .stream(.ok, contentType: "text/plain") { body in
            do { try await Task.sleep(for: .seconds(3600)) } catch { onCancel() }
        }
    }
    router.on(.post, "/hijack") { request in
        _ = try await request.json()
        return .hijack(contentType: "application/vnd.docker.raw-stream") { stream in
            while let bytes = try await stream.read() { try await stream.write(bytes) }
            try await stream.write(Array("|eof".utf8))
        }
    }
    router.on(.post, "/gone") { _ in
        .hijack(contentType: "application/vnd.docker.raw-stream") { stream in
            await stream.waitUntilGone()
            onCancel()
        }
    }
    return router
}

/// Runs `body` with the path of a socket that the routes are served at.
private func withServer(_ router: Router, _ body: @escaping @Sendable (FilePath) async throws -> Void) async throws {
    let path = FilePath("/tmp/swrun-http-\(getpid())-\(monotonicNanoseconds()).sock")
    let listener = try UnixSocket.listen(path).relinquish()
    defer { _ = try? removeFile(path) }
    let server = APIServer(router: router, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.serve(OwnedFD(owning: listener)) }
        try await body(path)
        group.cancelAll()
    }
    await server.shutDown()
}

/// Sends a text, closes the sending side and returns all that comes back, without the Date fields.
private func exchange(_ path: FilePath, _ text: String) async throws -> String {
    try await onThread {
        let socket = try UnixSocket.connect(path)
        try writeAll(socket, Array(text.utf8))
        shutdown(socket.raw, CInt(SHUT_WR))
        let answer = String(decoding: try readAll(socket, limit: 1 << 20), as: UTF8.self)
        return answer.split(separator: "\r\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
    }
}

private func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread.start { continuation.resume(with: Result { try body() }) }
    }
}

private let common =
    "Api-Version: 1.50\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Swrun/0.1.0 (linux)\r\n"

@Suite("Engine API server")
struct APIServerTests {
    @Test(
        "answers as Go's server does",
        arguments: [
            (
                "GET /hello HTTP/1.1\r\nHost: d\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\(common)Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello"
            ),
            (
                "HEAD /hello HTTP/1.1\r\nHost: d\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\(common)Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n"
            ),
            (
                "GET /lines HTTP/1.1\r\nHost: d\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\(common)Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"
            ),
            (
                "GET /lines HTTP/1.0\r\n\r\n",
                "HTTP/1.0 200 OK\r\n\(common)Content-Type: text/plain\r\nConnection: close\r\n\r\none\ntwo\n"
            ),
            (
                "POST /echo HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\(common)Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
                    + "Connection: close\r\n\r\nab"
            ),
            (
                "POST /refuse HTTP/1.1\r\nHost: d\r\n\r\n",
                "HTTP/1.1 409 Conflict\r\n\(common)Content-Type: application/json\r\nContent-Length: 17\r\n\r\n"
                    + "{\"message\":\"no\"}\n"
            ),
            (
                "POST /hijack HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nabc",
                "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n"
                    + "Upgrade: tcp\r\n\(common)\r\nabc|eof"
            ),
            (
                "POST /hijack HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}abc",
                "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nabc|eof"
            ),
            (
                "GET /x HTTP/1.1\r\n\r\n",
                "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
                    + "400 Bad Request: missing required Host header"
            ),
        ])
    func answers(_ request: String, _ expected: String) async throws {
        try await withServer(testRouter()) { path in
            let answer = try await exchange(path, request)
            #expect(answer == expected)
        }
    }

    @Test("serves requests one after the other, also behind a body that nobody read")
    func sequence() async throws {
        let requests =
            "POST /refuse HTTP/1.1\r\nHost: d\r\nContent-Length: 4\r\n\r\nbody"
            + "POST /json HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}"
            + "GET /hello HTTP/1.1\r\nHost: d\r\n\r\n"
        try await withServer(testRouter()) { path in
            let answer = try await exchange(path, requests)
            #expect(answer.contains("409 Conflict"))
            #expect(answer.contains("{\"a\":1}\n"))
            #expect(answer.hasSuffix("hello"))
        }
    }

    @Test("a stream is cancelled when its client leaves")
    func leaving() async throws {
        let (cancelled, continuation) = AsyncStream<Void>.makeStream()
        try await withServer(testRouter { continuation.yield() }) { path in
            try await onThread {
                let socket = try UnixSocket.connect(path)
                try writeAll(socket, Array("GET /forever HTTP/1.1\r\nHost: d\r\n\r\n".utf8))
                let head = try readSome(socket, upTo: 1000)  // comes at once
                #expect(!head.isEmpty)
            }
            for await _ in cancelled { break }
        }
    }

    @Test("a hijacked connection tells a client that has gone from one that has only closed its sending side")
    func leavingHijack() async throws {
        let (gone, continuation) = AsyncStream<Int64>.makeStream()
        try await withServer(testRouter { continuation.yield(Int64(monotonicNanoseconds())) }) { path in
            let closed = try await onThread {
                let socket = try UnixSocket.connect(path)
                try writeAll(socket, Array("POST /gone HTTP/1.1\r\nHost: d\r\n\r\n".utf8))
                let head = try readSome(socket, upTo: 1000)
                #expect(!head.isEmpty)
                shutdown(socket.raw, CInt(SHUT_WR))
                usleep(100_000)
                return Int64(monotonicNanoseconds())
            }
            for await time in gone {
                #expect(time > closed)
                break
            }
        }
    }

    @Test("asks for the body of a client that waits for leave to send it, but only if it is wanted")
    func expectContinue() async throws {
        try await withServer(testRouter()) { path in
            try await onThread {
                let head = "HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
                let wanted = try UnixSocket.connect(path)
                try writeAll(wanted, Array("POST /echo \(head)".utf8))
                let leave = String(decoding: try readSome(wanted, upTo: 1000), as: UTF8.self)
                #expect(leave == "HTTP/1.1 100 Continue\r\n\r\n")
                try writeAll(wanted, Array("ab".utf8))
                let echo = String(decoding: try readSome(wanted, upTo: 1000), as: UTF8.self)
                #expect(echo.hasSuffix("ab"))
                let refused = try UnixSocket.connect(path)
                try writeAll(refused, Array("POST /refuse \(head)".utf8))
                let refusal = String(decoding: try readAll(refused, limit: 1000), as: UTF8.self)
                #expect(refusal.hasPrefix("HTTP/1.1 409 "))
            }
        }
    }
}

/// A thread for blocking calls.
private final class Thread: Sendable {
    private let body: @Sendable () -> Void

    private init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Thread>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Thread(body)).toOpaque())
        pthread_detach(thread)
    }
}

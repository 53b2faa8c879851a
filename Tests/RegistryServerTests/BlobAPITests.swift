// SPDX-License-Identifier: Apache-2.0
import ContentStore
import HTTPServer
import LinuxSystem
import OCISpec
import Testing

@testable import RegistryServer

@Suite("Blobs of a registry")
struct BlobAPITests {
    private let registry: Registry
    private let bytes = Array("0123456789".utf8)
    private var digest: Digest { .sha256(of: bytes) }

    init() throws { registry = try Registry() }

    private func start(_ query: String = "", in repository: String = "a/b") async throws -> String {
        let answer = try await registry.ask("POST", "/v2/\(repository)/blobs/uploads/\(query)")
        #expect(answer.status == 202)
        #expect(answer.headers["Range"] == "0-0")
        return try #require(answer.headers["Location"])
    }

    private func chunk(_ place: String, _ range: String, _ text: String) async throws -> Registry.Answer {
        try await registry.ask("PATCH", place, Array(text.utf8), [("Content-Range", range)])
    }

    @Test("come in one request", arguments: [Digest.Algorithm.sha256, .sha512])
    func single(_ algorithm: Digest.Algorithm) async throws {
        let digest = Digest.of(bytes, algorithm)
        let answer = try await registry.ask("POST", "/v2/a/b/blobs/uploads/?digest=\(digest)", bytes)
        #expect(answer.status == 201)
        #expect(answer.headers["Location"] == "/v2/a/b/blobs/\(digest)")
        #expect(answer.headers["Docker-Content-Digest"] == digest.string)
        let read = try await registry.ask("GET", "/v2/a/b/blobs/\(digest)")
        #expect(read.status == 200 && read.body == bytes)
        #expect(try await registry.ask("HEAD", "/v2/a/b/blobs/\(digest)").status == 200)
    }

    @Test("leave nothing if they are not what was announced")
    func announced() async throws {
        let answer = try await registry.ask(
            "POST", "/v2/a/b/blobs/uploads/?digest=\(Digest.sha256(of: "other"))", bytes)
        #expect(answer.code == "DIGEST_INVALID")
        #expect(try listDirectory(registry.root / "content/ingest").isEmpty)
    }

    @Test("come in chunks, in order only")
    func chunks() async throws {
        let place = try await start()
        #expect(try await chunk(place, "0-3", "0123").status == 202)
        for range in ["0-3", "5-8", "x"] {
            let refused = try await chunk(place, range, "0123")
            #expect(refused.status == 416)
            #expect(refused.headers["Range"] == "0-3")
            #expect(refused.headers["Location"] == place)
        }
        #expect(try await chunk(place, "4-5", "456").code == "SIZE_INVALID")
        let status = try await registry.ask("GET", place)
        #expect(status.status == 204)
        #expect(status.headers["Range"] == "0-3")
        #expect(try await chunk(place, "4-6", "456").headers["Range"] == "0-6")
        let end = try await registry.ask(
            "PUT", "\(place)?digest=\(digest)", Array("789".utf8), [("Content-Range", "7-9")])
        #expect(end.status == 201)
        #expect(try await registry.ask("GET", place).code == "BLOB_UPLOAD_UNKNOWN")
        #expect(try await registry.ask("GET", "/v2/a/b/blobs/\(digest)").body == bytes)
    }

    @Test("of another digest are thrown away", arguments: ["sha256", "sha512"])
    func mismatch(_ algorithm: String) async throws {
        let place = try await start("?digest-algorithm=\(algorithm)")
        let algorithm = try #require(Digest.Algorithm(rawValue: algorithm))
        let end = try await registry.ask("PUT", "\(place)?digest=\(Digest.of([1], algorithm))", bytes)
        #expect(end.status == 400 && end.code == "DIGEST_INVALID")
        #expect(try await registry.ask("GET", place).status == 404)
        #expect(try await registry.ask("HEAD", "/v2/a/b/blobs/\(digest)").status == 404)
    }

    @Test(
        "need a digest that can be one",
        arguments: ["", "?digest=", "?digest=sha256:x", "?digest=md5:d41d8cd98f00b204e9800998ecf8427e"])
    func digests(_ query: String) async throws {
        #expect(try await registry.ask("PUT", try await start() + query, bytes).code == "DIGEST_INVALID")
    }

    @Test("are given up")
    func cancel() async throws {
        let place = try await start()
        #expect(try await registry.ask("PATCH", place, bytes).status == 202)
        #expect(try await registry.ask("DELETE", place).status == 204)
        #expect(try await registry.ask("DELETE", place).status == 404)
        #expect(try listDirectory(registry.root / "content/ingest").isEmpty)
    }

    @Test("are in their own repository only")
    func visibility() async throws {
        _ = try await registry.push("0123456789", to: "a")
        #expect(try await registry.ask("HEAD", "/v2/b/blobs/\(digest)").status == 404)
        let refused = try await registry.ask("POST", "/v2/b/blobs/uploads/?mount=\(digest)&from=c")
        #expect(refused.status == 202)
        #expect(try await registry.ask("HEAD", "/v2/b/blobs/\(digest)").status == 404)
        let mounted = try await registry.ask("POST", "/v2/b/blobs/uploads/?mount=\(digest)&from=a")
        #expect(mounted.status == 201)
        #expect(mounted.headers["Location"] == "/v2/b/blobs/\(digest)")
        #expect(try await registry.ask("POST", "/v2/c/blobs/uploads/?mount=\(digest)").status == 201)
        for repository in ["a", "b"] {
            #expect(try await registry.ask("DELETE", "/v2/\(repository)/blobs/\(digest)").status == 202)
            #expect(try await registry.ask("DELETE", "/v2/\(repository)/blobs/\(digest)").code == "BLOB_UNKNOWN")
        }
        #expect(try await registry.ask("GET", "/v2/c/blobs/\(digest)").body == bytes)
    }

    @Test(
        "are read in parts",
        arguments: [
            ("bytes=2-4", 206, "bytes 2-4/10", "234"), ("bytes=8-", 206, "bytes 8-9/10", "89"),
            ("bytes=-3", 206, "bytes 7-9/10", "789"), ("bytes=10-", 416, "bytes */10", nil),
            ("bytes=x", 200, nil, "0123456789"),
        ] as [(String, Int, String?, String?)])
    func ranges(_ range: String, _ status: Int, _ field: String?, _ text: String?) async throws {
        _ = try await registry.push("0123456789", to: "a")
        let answer = try await registry.ask("GET", "/v2/a/blobs/\(digest)", [], [("Range", range)])
        #expect(answer.status == status)
        #expect(answer.headers["Content-Range"] == field)
        if let text { #expect(answer.text == text) }
    }

    @Test("are not sent to who has them")
    func cached() async throws {
        _ = try await registry.push("0123456789", to: "a")
        let answer = try await registry.ask("GET", "/v2/a/blobs/\(digest)", [], [("If-None-Match", "\"\(digest)\"")])
        #expect(answer.status == 304)
    }

    @Test("that nobody finished go, others stay")
    func expiry() async throws {
        let old = try await registry.uploads.start(try RepositoryName("a"))
        try registry.store.content.abortIngests(untouchedSince: Timestamp(nanoseconds: .max))
        #expect(try await registry.ask("GET", "/v2/a/blobs/uploads/\(old)").status == 204, "one with a writer stays")
        try await registry.uploads.expire()
        #expect(try await registry.ask("GET", "/v2/a/blobs/uploads/\(old)").status == 204, "a new one stays")
        // More uploads than stay open: the oldest is closed, and goes on where it ended.
        for _ in 1...70 { _ = try await registry.uploads.start(try RepositoryName("b")) }
        #expect(try await registry.ask("GET", "/v2/a/blobs/uploads/\(old)").status == 204)
        for _ in 1...70 { _ = try await registry.uploads.start(try RepositoryName("b")) }
        try registry.store.content.abortIngests(untouchedSince: Timestamp(nanoseconds: .max))
        #expect(try await registry.ask("GET", "/v2/a/blobs/uploads/\(old)").status == 404)
    }
}

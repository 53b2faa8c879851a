// SPDX-License-Identifier: Apache-2.0
import OCISpec
import Testing

@testable import Registry

@Suite("Retries")
struct RetryPolicyTests {
    private func refused(_ status: Int, after seconds: Int? = nil) -> RegistryError {
        .refused(status: status, code: "", message: "", retryAfter: seconds)
    }

    @Test("pauses grow, and the fifth failure is the last")
    func growing() {
        var policy = RetryPolicy()
        let pauses = (0..<5).map { _ in policy.pause(after: refused(503)) }
        #expect(pauses == [.milliseconds(250), .seconds(1), .seconds(4), .seconds(16), nil])
    }

    @Test("tried once, or for ever")
    func attempts() {
        var once = RetryPolicy(attempts: 1)
        #expect(once.pause(after: refused(503)) == nil)
        var endless = RetryPolicy(attempts: .max)
        let pauses = (0..<100).map { _ in endless.pause(after: refused(503)) }
        #expect(pauses.last == .seconds(16))
    }

    @Test("a registry's own wish counts, unless it is for another day")
    func retryAfter() {
        var policy = RetryPolicy()
        #expect(policy.pause(after: refused(429, after: 7)) == .seconds(7))
        #expect(policy.pause(after: refused(429, after: 0)) == .seconds(0))
        #expect(policy.pause(after: refused(429, after: 3600)) == nil)
    }

    @Test("what will not change is not tried again", arguments: [400, 401, 403, 404, 413, 416])
    func permanent(_ status: Int) {
        var policy = RetryPolicy()
        #expect(policy.pause(after: refused(status)) == nil)
    }

    @Test("progress makes earlier failures count no more")
    func reset() {
        var policy = RetryPolicy()
        for _ in 0..<10 {
            #expect(policy.pause(after: refused(500)) == .milliseconds(250))
            policy.reset()
        }
    }
}

@Suite("Uploads")
struct BlobUploadTests {
    private struct Nothing: BlobSource {
        func read(at offset: Int64, count: Int) async throws -> [UInt8] { [] }
    }

    @Test(
        "understand how far a registry says they have come",
        arguments: [
            ("0-99", 100), ("bytes=0-99", 100), ("0-0", 0), ("0--1", nil), ("5-9", nil), ("", nil), ("0-", nil),
            ("0-x", nil), ("0-9223372036854775806", .max), ("0-9223372036854775807", nil),
            ("0-9223372036854775808", nil),
        ] as [(String, Int64?)])
    func received(_ range: String, _ expected: Int64?) {
        #expect(ResponseHeader.received(range) == expected)
    }

    @Test("end with the digest in the query, whatever stands there already")
    func finished() throws {
        let digest = try Digest("sha256:" + String(repeating: "a", count: 64))
        for (place, separator) in [("https://a.example/u", "?"), ("https://a.example/u?_state=x", "&")] {
            let url = BlobUpload<Nothing>.finished(try #require(RemoteURL(place)), digest)
            #expect(url == place + separator + "digest=sha256%3A" + digest.hex)
        }
    }
}

@Suite("Tokens")
struct TokenTests {
    private let credentials = RegistryCredentials(username: "u", password: "p")

    private func key(_ credentials: RegistryCredentials?) -> TokenCache.Key {
        TokenCache.Key(
            endpoint: RegistryEndpoint(scheme: "https", authority: "a.example"), realm: "https://auth.example/",
            service: "s", scopes: ["repository:x:pull"], credentials: credentials)
    }

    @Test("are used until shortly before they expire, by those that they were given to")
    func cache() {
        let cache = TokenCache()
        cache.keep("t", for: key(credentials), lifetimeSeconds: 100, now: 0)
        #expect(cache.token(key(credentials), except: nil, now: 89_000_000_000) == "t")
        #expect(cache.token(key(nil), except: nil, now: 1) == nil)
        #expect(cache.token(key(credentials), except: nil, now: 90_000_000_000) == nil)
    }

    @Test("are dropped when a registry refuses them")
    func rejected() {
        let cache = TokenCache()
        cache.keep("t", for: key(nil), lifetimeSeconds: 100, now: 0)
        #expect(cache.token(key(nil), except: "Bearer t", now: 1) == nil)
        #expect(cache.token(key(nil), except: nil, now: 1) == nil)
    }

    @Test("are asked for with every scope")
    func url() throws {
        var request = TokenRequest(
            realm: try #require(RemoteURL("https://auth.example/token")), service: "reg istry",
            scopes: ["repository:a:pull,push", "repository:b:pull"], credentials: credentials)
        #expect(
            request.url == "https://auth.example/token?service=reg%20istry&scope=repository%3Aa%3Apull%2Cpush"
                + "&scope=repository%3Ab%3Apull&account=u")
        request.isLogin = true
        #expect(request.url.hasSuffix("&client_id=swrun&offline_token=true"))
    }

    @Test("come in both spellings; nonsense is refused")
    func answer() throws {
        let answer = try TokenAnswer(parsing: Array(#"{"access_token":"x","refresh_token":"r"}"#.utf8))
        #expect(answer.token == "x" && answer.refreshToken == "r" && answer.lifetimeSeconds == 60)
        for text in ["", "{}", #"{"token":""}"#, #"{"token":"a\r\nb"}"#] {
            #expect(throws: RegistryError.self) { try TokenAnswer(parsing: Array(text.utf8)) }
        }
    }
}

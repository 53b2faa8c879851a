// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import EngineHTTP

@Suite("Router")
struct RouterTests {
    private static let router: Router = {
        var router = Router()
        for pattern in [
            "/images/json", "/images/get", "/images/{name:.*}/json", "/images/{name:.*}/get", "/containers/{name}/json",
            "/volumes/{name:.*}",
        ] {
            router.on(.get, pattern) { request in
                .text(.ok, pattern + request.parameters.map { " \($0.name)=\($0.value)" }.joined())
            }
        }
        router.on(.delete, "/images/{name:.*}") { _ in .text(.ok, "delete") }
        return router
    }()

    @Test(
        "finds the pattern",
        arguments: [
            ("/images/json", "/images/json", [String]()),
            ("/images/busybox/json", "/images/{name:.*}/json", ["busybox"]),
            ("/images/127.0.0.1:5055/a/b:1/json", "/images/{name:.*}/json", ["127.0.0.1:5055/a/b:1"]),
            ("/images/json/json", "/images/{name:.*}/json", ["json"]),
            ("/images/get", "/images/get", []),
            ("/containers/x/json", "/containers/{name}/json", ["x"]),
            ("/volumes/a/b", "/volumes/{name:.*}", ["a/b"]),
        ])
    func matches(_ path: String, _ pattern: String, _ values: [String]) throws {
        let match = try #require(Self.router.match(.get, path))
        #expect(match.parameters.map(\.value) == values)
    }

    @Test(
        "finds nothing",
        arguments: [
            "", "/", "/images", "/containers//json", "/containers/a/b/json", "/volumes/", "/nosuch", "images/json",
        ])
    func noMatch(_ path: String) { #expect(Self.router.match(.get, path) == nil) }

    @Test("minds the method")
    func method() {
        #expect(Self.router.match(.post, "/images/json") == nil)
        #expect(Self.router.match(.delete, "/images/a/b") != nil)
    }

    @Test(
        "takes the version off",
        arguments: [
            ("/v1.41/info", "1.41", "/info"), ("/info", nil, "/info"), ("/v1.41", nil, "/v1.41"),
            ("/volumes/v1.4", nil, "/volumes/v1.4"), ("/v1/info", nil, "/v1/info"), ("/v1.x/info", nil, "/v1.x/info"),
        ] as [(String, String?, String)])
    func version(_ path: String, _ version: String?, _ rest: String) {
        let split = Dispatcher.splitVersion(path)
        #expect(split.version?.description == version)
        #expect(split.path == rest)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import HTTPServer

@Suite("Path router")
struct PathRouterTests {
    private static let router: PathRouter<String> = {
        var router = PathRouter<String>()
        for pattern in [
            "/images/json", "/images/get", "/images/{name:.*}/json", "/images/{name:.*}/get", "/containers/{name}/json",
            "/volumes/{name:.*}",
        ] {
            router.on(.get, pattern, pattern)
        }
        router.on(.delete, "/images/{name:.*}", "delete")
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
        #expect(match.handler == pattern)
        #expect(match.parameters.map(\.value) == values)
    }

    @Test(
        "finds nothing",
        arguments: [
            "", "/", "/images", "/containers//json", "/containers/a/b/json", "/nosuch", "images/json",
        ])
    func noMatch(_ path: String) { #expect(Self.router.match(.get, path) == nil) }

    @Test("minds the method")
    func method() {
        #expect(Self.router.match(.post, "/images/json") == nil)
        #expect(Self.router.match(.delete, "/images/a/b") != nil)
    }
}

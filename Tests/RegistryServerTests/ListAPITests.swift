// SPDX-License-Identifier: Apache-2.0
import ContentStore
import HTTPServer
import JSON
import LinuxSystem
import OCISpec
import Testing

@testable import RegistryServer

@Suite("Lists of a registry, and what it does not allow")
struct ListAPITests {
    private func push(_ registry: Registry, _ tags: [String], to repository: String) async throws {
        let manifest = try await registry.image("x", in: repository)
        for tag in tags { #expect(try await registry.put(manifest, tag, in: repository).status == 201) }
    }

    @Test("tags and repositories come in pages")
    func pages() async throws {
        let registry = try Registry()
        try await push(registry, ["b", "a", "C", "latest"], to: "x/y")
        try await push(registry, ["1"], to: "z")
        let all = try await registry.ask("GET", "/v2/x/y/tags/list")
        #expect(all.text == #"{"name":"x/y","tags":["C","a","b","latest"]}"#)
        let first = try await registry.ask("GET", "/v2/x/y/tags/list?n=2")
        #expect(first.json["tags"]?.strings == ["C", "a"])
        #expect(first.headers["Link"] == #"</v2/x/y/tags/list?last=a&n=2>; rel="next""#)
        let second = try await registry.ask("GET", "/v2/x/y/tags/list?last=a&n=2")
        #expect(second.json["tags"]?.strings == ["b", "latest"] && second.headers["Link"] == nil)
        let none = try await registry.ask("GET", "/v2/x/y/tags/list?n=0")
        #expect(none.json["tags"]?.strings == [] && none.headers["Link"] == nil)
        #expect(try await registry.ask("GET", "/v2/x/y/tags/list?n=-1").code == "PAGINATION_NUMBER_INVALID")
        #expect(try await registry.ask("GET", "/v2/x/y/tags/list?n=9223372036854775807").status == 200)
        #expect(try await registry.ask("GET", "/v2/none/tags/list").code == "NAME_UNKNOWN")
        #expect(try await registry.ask("GET", "/v2/_catalog?n=1").json["repositories"]?.strings == ["x/y"])
        #expect(try await registry.ask("GET", "/v2/_catalog?last=x/y").json["repositories"]?.strings == ["z"])
    }

    @Test("a search finds parts of names, with what images say they are")
    func search() async throws {
        let registry = try Registry()
        for name in ["tools/hammer", "tools/saw", "paint"] { try await push(registry, ["1"], to: name) }
        let manifest = try await registry.image(
            "y", in: "tools/hammer", annotation: ("org.opencontainers.image.description", "drives nails"))
        _ = try await registry.put(manifest, "2", in: "tools/hammer")
        let found = try await registry.ask("GET", "/v1/search?q=tools&n=5").json
        #expect(found["num_results"]?.int == 2)
        let results = found["results"]?.array ?? []
        #expect(results.map { $0["name"]?.string } == ["tools/hammer", "tools/saw"])
        #expect(results.map { $0["description"]?.string } == ["drives nails", ""])
        let second = try await registry.ask("GET", "/v1/search?q=&n=2&page=2").json
        #expect(second["results"]?.array?.count == 1 && second["num_pages"]?.int == 2)
        #expect(try await registry.ask("GET", "/v1/_ping").status == 200)
    }

    @Test(
        "names are checked",
        arguments: [
            "A", "a//b", "a/", "-a", "a/../b", "a%2F..%2Fb", "%00", "a__b___c", String(repeating: "a", count: 256),
        ])
    func names(_ name: String) async throws {
        let answer = try await Registry().ask("GET", "/v2/\(name)/tags/list")
        #expect(answer.status == 400 || answer.status == 404)
        #expect(answer.code == "NAME_INVALID" || answer.code == "UNSUPPORTED")
    }

    @Test("what does not exist is not found, and what exists not done otherwise")
    func routes() async throws {
        let registry = try Registry()
        for path in ["/v2", "/v2/"] { #expect(try await registry.ask("GET", path).text == "{}") }
        for path in ["", "/", "/v3", "/v2/a", "/v2/a/manifests", "*"] {
            #expect(try await registry.ask("GET", path).status == 404)
        }
        for method in ["POST", "TRACE", "nonsense"] { #expect(try await registry.ask(method, "/v2/").status == 405) }
    }

    @Test("a registry may change nothing, or only grow")
    func limits() async throws {
        let frozen = try Registry { $0.isReadOnly = true }
        #expect(try await frozen.ask("POST", "/v2/a/blobs/uploads/").code == "UNSUPPORTED")
        #expect(try await frozen.ask("GET", "/v2/_catalog").status == 200)
        let growing = try Registry { _ in }
        try await push(growing, ["1"], to: "a")
        #expect(try await growing.ask("DELETE", "/v2/a/manifests/1").status == 405)
        let place = try await growing.ask("POST", "/v2/a/blobs/uploads/").headers["Location"] ?? ""
        #expect(try await growing.ask("DELETE", place).status == 204)
    }

    @Test("garbage is what no manifest leads to")
    func garbage() async throws {
        let registry = try Registry()
        let loose = try await registry.push("loose", to: "a")
        try await push(registry, ["1"], to: "a")
        let untagged = try await registry.image("untagged", in: "a")
        let digest = Digest.sha256(of: untagged)
        _ = try await registry.put(untagged, digest.string, in: "a")
        let about = try await registry.image(
            "about", in: "a", subject: Descriptor(mediaType: MediaType.ociManifest, digest: digest, size: 1))
        _ = try await registry.put(about, Digest.sha256(of: about).string, in: "a")
        #expect(try registry.store.collectGarbage(untagged: false) == CollectedGarbage(manifests: 0, blobs: 1))
        #expect(try await registry.ask("HEAD", "/v2/a/blobs/\(loose.digest)").status == 404)
        #expect(try registry.store.collectGarbage(untagged: true) == CollectedGarbage(manifests: 2, blobs: 4))
        #expect(try await registry.ask("HEAD", "/v2/a/manifests/\(digest)").status == 404)
        #expect(try await registry.ask("GET", "/v2/a/manifests/1").status == 200)
        #expect(try listDirectory(registry.root / "content/blobs/sha256").count == 3)
    }

    @Test("one process at a time has a registry's directory")
    func lock() throws {
        let registry = try Registry()
        #expect(throws: SysError.self) { try RegistryStore(root: registry.root) }
    }
}

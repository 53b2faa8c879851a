// SPDX-License-Identifier: Apache-2.0
import ContentStore
import HTTPServer
import JSON
import OCISpec
import Testing

@testable import RegistryServer

@Suite("Manifests of a registry")
struct ManifestAPITests {
    private let registry: Registry

    init() throws { registry = try Registry() }

    @Test("come and go by tag and digest")
    func life() async throws {
        let manifest = try await registry.image("x", in: "a")
        let digest = Digest.sha256(of: manifest)
        let put = try await registry.put(manifest, "1.0", in: "a")
        #expect(put.status == 201)
        #expect(put.headers["Location"] == "/v2/a/manifests/\(digest)")
        #expect(put.headers["Docker-Content-Digest"] == digest.string)
        for reference in ["1.0", digest.string] {
            let read = try await registry.ask("GET", "/v2/a/manifests/\(reference)")
            #expect(read.status == 200 && read.body == manifest)
            #expect(read.headers["Content-Type"] == MediaType.ociManifest)
            #expect(read.headers["Docker-Content-Digest"] == digest.string)
        }
        #expect(try await registry.ask("DELETE", "/v2/a/manifests/1.0").status == 202)
        #expect(try await registry.ask("DELETE", "/v2/a/manifests/1.0").code == "MANIFEST_UNKNOWN")
        #expect(try await registry.ask("HEAD", "/v2/a/manifests/\(digest)").status == 200)
        #expect(try await registry.put(manifest, "2.0", in: "a").status == 201)
        #expect(try await registry.ask("DELETE", "/v2/a/manifests/\(digest)").status == 202)
        for reference in ["2.0", digest.string] {
            #expect(try await registry.ask("GET", "/v2/a/manifests/\(reference)").status == 404)
        }
    }

    @Test("get several tags at once, with any digest", arguments: [Digest.Algorithm.sha256, .sha512])
    func tagParameter(_ algorithm: Digest.Algorithm) async throws {
        let manifest = try await registry.image("x", in: "a")
        let digest = Digest.of(manifest, algorithm)
        let put = try await registry.put(manifest, "\(digest)?tag=one&tag=two", in: "a")
        #expect(put.status == 201)
        #expect(put.headers.all("OCI-Tag") == ["one", "two"])
        let read = try await registry.ask("GET", "/v2/a/manifests/two")
        #expect(read.body == manifest && read.headers["Docker-Content-Digest"] == digest.string)
    }

    @Test("need their blobs and manifests in the repository")
    func missing() async throws {
        let manifest = try await registry.image("x", in: "elsewhere")
        let refused = try await registry.put(manifest, "1", in: "a")
        #expect(refused.status == 400)
        let codes = (refused.json["errors"]?.array ?? []).map { $0["code"]?.string }
        #expect(codes == ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"])
        let child = Descriptor(
            mediaType: MediaType.ociManifest, digest: .sha256(of: manifest), size: Int64(manifest.count))
        let index = Index(mediaType: MediaType.ociIndex, manifests: [child]).json.bytes()
        func putIndex() async throws -> Registry.Answer {
            try await registry.ask(
                "PUT", "/v2/elsewhere/manifests/all", index, [("Content-Type", MediaType.ociIndex)])
        }
        #expect(try await putIndex().code == "MANIFEST_BLOB_UNKNOWN")
        #expect(try await registry.put(manifest, child.digest.string, in: "elsewhere").status == 201)
        #expect(try await putIndex().status == 201)
    }

    @Test("must be some")
    func invalid() async throws {
        let manifest = try await registry.image("x", in: "a")
        for bytes in [[], Array("{".utf8), Array("{}".utf8), Array("{\"manifests\":[],\"layers\":[]}".utf8)] {
            #expect(try await registry.put(bytes, "1", in: "a").code == "MANIFEST_INVALID")
        }
        let other = try await registry.ask(
            "PUT", "/v2/a/manifests/1", manifest, [("Content-Type", MediaType.dockerManifest)])
        #expect(other.code == "MANIFEST_INVALID")
        #expect(try await registry.put(manifest, ".x", in: "a").code == "MANIFEST_INVALID")
        #expect(try await registry.put(manifest, "sha256:baddigeststring", in: "a").code == "DIGEST_INVALID")
        #expect(try await registry.put(manifest, Digest.sha256(of: "other").string, in: "a").code == "DIGEST_INVALID")
        #expect(try await registry.ask("GET", "/v2/a/manifests/.x").code == "MANIFEST_UNKNOWN")
        let huge = try await registry.put([UInt8](repeating: 32, count: 4 << 20 | 1), "1", in: "a")
        #expect(huge.status == 413)
    }

    @Test("are listed by their subject")
    func referrers() async throws {
        let subject = Descriptor(mediaType: MediaType.ociManifest, digest: .sha256(of: "none"), size: 4)
        let path = "/v2/a/referrers/\(subject.digest)"
        let empty = try await registry.ask("GET", path)
        #expect(empty.status == 200 && empty.headers["Content-Type"] == MediaType.ociIndex)
        #expect(empty.json["manifests"]?.array?.isEmpty == true)
        let signature = try await registry.image("s", in: "a", subject: subject, annotation: ("k", "v"))
        let put = try await registry.put(signature, Digest.sha256(of: signature).string, in: "a")
        #expect(put.headers["OCI-Subject"] == subject.digest.string)
        var index = Index(mediaType: MediaType.ociIndex, manifests: [])
        (index.subject, index.artifactType) = (subject, "text/sbom")
        _ = try await registry.ask(
            "PUT", "/v2/a/manifests/sbom", index.json.bytes(), [("Content-Type", MediaType.ociIndex)])
        let all = try await registry.ask("GET", path).json["manifests"]?.array ?? []
        #expect(Set(all.map { $0["artifactType"]?.string }) == ["text/sbom", MediaType.ociConfig])
        #expect(all.compactMap { $0["annotations"]?["k"]?.string } == ["v"])
        let some = try await registry.ask("GET", path + "?artifactType=text%2Fsbom")
        #expect(some.headers["OCI-Filters-Applied"] == "artifactType")
        #expect(some.json["manifests"]?.array?.count == 1)
        let page = try await registry.ask("GET", path + "?n=1")
        let next = try #require(page.headers["Link"]?.split(separator: ">").first?.dropFirst())
        let rest = try await registry.ask("GET", String(next))
        #expect([page, rest].flatMap { $0.json["manifests"]?.array ?? [] } == all)
        #expect(try await registry.ask("GET", "/v2/a/referrers/sha256:x").code == "DIGEST_INVALID")
    }
}

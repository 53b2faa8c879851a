// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import OCISpec

@testable import Registry

/// What describes images, and what registries say about themselves.
let imageTargets = [
    FuzzTarget("json") { bytes in
        guard let value = accepted({ try JSONValue(parsing: bytes) }) else { return }
        for format in [JSONFormat.compact, .pretty, JSONFormat(escapesHTML: true)] {
            let again = accepted { try JSONValue(parsing: value.bytes(format)) }
            expect(again == value, "what is written reads the same")
        }
    },
    FuzzTarget("manifest") { bytes in
        for type in ["", MediaType.ociManifest, MediaType.ociIndex, MediaType.dockerManifest] {
            switch accepted({ try ImageDocument(parsing: bytes, mediaType: type) }) {
            case .manifest(let manifest):
                let again = accepted { try ImageDocument(parsing: manifest.json.bytes(), mediaType: type) }
                expect(again == .manifest(manifest), "a manifest that is written reads the same")
                expect(manifest.layers.count <= Manifest.maximumLayers, "layers are limited")
                expect(manifest.layers.allSatisfy { $0.size >= 0 }, "sizes are not negative")
            case .index(let index):
                let again = accepted { try ImageDocument(parsing: index.json.bytes(), mediaType: type) }
                expect(again == .index(index), "an index that is written reads the same")
                let chosen = index.manifest(for: Platform(os: "linux", architecture: "amd64"))
                expect(chosen.map { index.manifests.contains($0) } ?? true, "an index chooses one of its own")
            case nil: break
            }
        }
        if let config = accepted({ try ImageConfig(parsing: bytes) }) {
            let empty = Digest(algorithm: .sha256, hash: [UInt8](repeating: 0, count: 32))
            let chain = ChainID.chain(config.diffIDs, sha256: { _ in empty })
            expect(chain.count == config.diffIDs.count, "every layer has a chain ID")
            _ = Timestamp(rfc3339: config.created ?? "")?.rfc3339()
        }
    },
    FuzzTarget("docker-archive") { bytes in
        for entry in accepted({ try DockerArchiveEntry.parse(bytes) }) ?? [] {
            let again = accepted { try DockerArchiveEntry.parse(JSONValue.array([entry.json]).bytes()) }
            expect(again == [entry], "an entry that is written reads the same")
            expect(entry.layers.count <= Manifest.maximumLayers, "layers are limited")
        }
    },
    FuzzTarget("reference") { bytes in
        let text = bytes.text
        if let reference = accepted({ try ImageReference(text) }) {
            for form in [reference.string, reference.familiar] {
                expect(accepted { try ImageReference(form) } == reference, "\(form) means the same again")
            }
            expect(accepted { try ImageReference(reference.normalized) } != nil, "the full name is a name")
            expect(!reference.path.utf8.contains(UInt8(ascii: "@")), "a repository has no @")
        }
        if let digest = accepted({ try Digest(text) }) {
            expect(digest.string == text && digest.hex.utf8.count == digest.algorithm.digits, "a digest is its text")
            expect(!digest.string.utf8.contains(UInt8(ascii: "/")), "a digest is no path")
        }
        if let platform = accepted({ try Platform(parsing: text) }) {
            expect(accepted { try Platform(parsing: platform.string) } == platform, "a platform means the same again")
        }
    },
    FuzzTarget("registry") { bytes in
        let texts = bytes.texts(2)
        for challenge in AuthChallenge.parse(texts[0]) {
            expect(!challenge.scheme.isEmpty, "a challenge has a scheme")
        }
        for number in [ResponseHeader.received(texts[0]), ResponseHeader.retryAfter(texts[0]).map { Int64($0) }] {
            expect(number ?? 0 >= 0, "counts are not negative")
        }
        _ = ResponseHeader.nextPage(texts[0])
        _ = RegistryError.refusal(status: 400, body: bytes, retryAfter: nil).cause
        if let url = RemoteURL(texts[0]) {
            expect(RemoteURL(url.string) == url, "\(url.string) means the same again")
            if let target = url.redirected(to: texts[1]) {
                expect(RemoteURL(target.string) == target, "\(target.string) means the same again")
                expect(["http", "https"].contains(target.scheme), "a redirect stays in HTTP")
            }
        }
    },
    FuzzTarget("hosts-toml") { bytes in
        if let entries = accepted({ try TOMLReader.read(bytes) }) {
            expect(entries.allSatisfy { !$0.path.isEmpty }, "every entry has a name")
        }
        let place = FilePath("/etc/hosts.d")
        for endpoint in accepted({ try HostsFile.parse(bytes, for: "r.example:5000", place: place) }) ?? [] {
            expect(["http", "https"].contains(endpoint.scheme), "an endpoint is spoken to with HTTP")
            expect(!endpoint.authority.isEmpty, "an endpoint has a host")
            expect(!endpoint.trust.roots.contains { !$0.hasPrefix("/") }, "certificates have absolute paths")
        }
    },
]

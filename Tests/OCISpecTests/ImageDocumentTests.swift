// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

private let blob = "{\"mediaType\":\"m\",\"digest\":\"sha256:\(String(repeating: "a", count: 64))\",\"size\":3}"

private func parse(_ text: String, _ mediaType: String = "") throws -> ImageDocument {
    try ImageDocument(parsing: Array(text.utf8), mediaType: mediaType)
}

@Suite("Image documents")
struct ImageDocumentTests {
    @Test("an artifact's manifest keeps its type and its subject when it is written")
    func artifact() throws {
        let text = "{\"artifactType\":\"a/b\",\"config\":\(blob),\"layers\":[\(blob)],\"subject\":\(blob)}"
        let read = try parse(text, MediaType.ociManifest)
        guard case .manifest(let manifest) = read else {
            Issue.record("no manifest")
            return
        }
        #expect(manifest.artifactType == "a/b" && manifest.subject == manifest.config)
        #expect(try ImageDocument(parsing: manifest.json.bytes(), mediaType: MediaType.ociManifest) == read)
    }

    @Test("reads manifests and indexes, told by media type or by content")
    func reads() throws {
        let manifest = "{\"schemaVersion\":2,\"config\":\(blob),\"layers\":[\(blob)]}"
        guard case .manifest(let read) = try parse(manifest) else { throw ImageSpecError("no manifest") }
        #expect(read.layers.count == 1)
        #expect(read.mediaType == MediaType.ociManifest)
        guard case .index(let index) = try parse("{\"manifests\":[\(blob)]}", MediaType.dockerManifestList) else {
            throw ImageSpecError("no index")
        }
        #expect(index.mediaType == MediaType.dockerManifestList)
    }

    @Test(
        "refuses documents that two readers could take for two images",
        arguments: [
            ("{\"config\":\(blob),\"layers\":[],\"manifests\":[]}", ""),
            ("{\"layers\":[],\"manifests\":[]}", MediaType.ociIndex),
            ("{\"config\":\(blob),\"manifests\":[]}", MediaType.ociManifest),
            ("{\"fsLayers\":[],\"manifests\":[]}", ""),
            ("{\"mediaType\":\"\(MediaType.ociIndex)\",\"config\":\(blob),\"layers\":[]}", MediaType.ociManifest),
            ("{\"mediaType\":\"\(MediaType.ociManifest)\",\"manifests\":[]}", MediaType.ociIndex),
            ("{\"mediaType\":\"\(MediaType.dockerManifest)\",\"config\":\(blob),\"layers\":[]}", MediaType.ociManifest),
            ("{\"config\":\(blob),\"layers\":[]}", MediaType.ociIndex),
        ])
    func confusion(_ text: String, _ mediaType: String) {
        #expect(throws: ImageSpecError.self) { try parse(text, mediaType) }
    }

    @Test(
        "refuses nonsense",
        arguments: [
            "", "[]", "null", "{}", "{\"layers\":[]}", "{\"config\":1,\"layers\":[]}",
            "{\"config\":\(blob),\"layers\":{}}",
            "{\"manifests\":[{}]}", "{\"manifests\":[{\"digest\":\"sha256:../x\",\"size\":1}]}",
            "{\"config\":\(blob.replacing("3}", with: "-3}")),\"layers\":[]}",
            "{\"config\":\(blob),\"layers\":[\(Array(repeating: blob, count: 1001).joined(separator: ","))]}",
            String(repeating: "[", count: 100_000),
        ])
    func nonsense(_ text: String) {
        #expect(throws: ImageSpecError.self) { try parse(text) }
    }

    @Test("names schema 1 when refusing it")
    func schema1() {
        let error = #expect(throws: ImageSpecError.self) {
            try parse("{\"schemaVersion\":1,\"fsLayers\":[]}", MediaType.dockerSchema1Signed)
        }
        #expect(error?.message.contains("schema 1") == true)
    }

    @Test("reads a config's platform and layers, and limits them")
    func config() throws {
        let diffID = "sha256:" + String(repeating: "b", count: 64)
        let text =
            "{\"architecture\":\"arm64\",\"variant\":\"v8\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"\(diffID)\"]}}"
        let config = try ImageConfig(parsing: Array(text.utf8))
        #expect(config.platform.string == "linux/arm64")
        #expect(config.diffIDs.map { $0.string } == [diffID])
        for bad in ["{}", "{\"rootfs\":{\"diff_ids\":[1]}}", "{\"rootfs\":{\"diff_ids\":[\"sha256:x\"]}}", "[]"] {
            #expect(throws: ImageSpecError.self) { try ImageConfig(parsing: Array(bad.utf8)) }
        }
    }
}

@Suite("Platforms")
struct PlatformTests {
    @Test(
        "reads and normalises what --platform takes",
        arguments: [
            ("linux/amd64", "linux/amd64"), ("linux/x86_64", "linux/amd64"), ("linux/arm64/v8", "linux/arm64"),
            ("aarch64", "linux/arm64"), ("linux/arm", "linux/arm/v7"), ("linux/arm/6", "linux/arm/v6"),
            ("linux/armel", "linux/arm/v6"), ("LINUX/AMD64", "linux/amd64"), ("darwin/arm64", "darwin/arm64"),
        ])
    func normalises(_ text: String, _ expected: String) throws {
        #expect(try Platform(parsing: text).string == expected)
    }

    @Test("refuses malformed ones", arguments: ["", "/", "linux/", "a/b/c/d", "linux/am d64", "linux/amd64;x"])
    func refuses(_ text: String) {
        #expect(throws: ImageSpecError.self) { try Platform(parsing: text) }
    }

    @Test("an index gives the best image for a platform, never an attestation")
    func selection() throws {
        func entry(_ platform: String, _ digit: String, _ annotations: Annotations = Annotations()) throws -> Descriptor
        {
            Descriptor(
                mediaType: MediaType.ociManifest, digest: try Digest("sha256:" + String(repeating: digit, count: 64)),
                size: 1, platform: try Platform(parsing: platform), annotations: annotations)
        }
        var attestation = Annotations()
        attestation["vnd.docker.reference.type"] = "attestation-manifest"
        let index = Index(
            mediaType: MediaType.ociIndex,
            manifests: [
                try entry("linux/amd64", "1", attestation), try entry("linux/arm/v5", "2"),
                try entry("linux/arm/v6", "3"),
                try entry("linux/amd64", "4"),
            ])
        #expect(index.manifest(for: try Platform(parsing: "linux/amd64"))?.digest.hex.first == "4")
        #expect(index.manifest(for: try Platform(parsing: "linux/amd64/v3"))?.digest.hex.first == "4")
        #expect(index.manifest(for: try Platform(parsing: "linux/arm/v7"))?.digest.hex.first == "3")
        #expect(index.manifest(for: try Platform(parsing: "linux/arm64")) == nil)
        #expect(try Platform(parsing: "linux/arm64").dockerString == "linux/arm64/v8")
        #expect(throws: ImageSpecError.self) { try Platform(parsing: "foo") }
        #expect(try Platform(parsing: "x86_64").string == "linux/amd64")
    }
}

@Suite("ChainIDs")
struct ChainIDTests {
    @Test("chain the layers below")
    func chain() throws {
        let diffIDs = try ["a", "b", "c"].map { try Digest("sha256:" + String(repeating: $0, count: 64)) }
        var hashed: [String] = []
        let chain = ChainID.chain(diffIDs) { text in
            hashed.append(text)
            return diffIDs[2]
        }
        #expect(chain.first?.digest == diffIDs[0])
        #expect(hashed == ["\(diffIDs[0]) \(diffIDs[1])", "\(diffIDs[2]) \(diffIDs[2])"])
    }
}

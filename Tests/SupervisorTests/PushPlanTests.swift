// SPDX-License-Identifier: Apache-2.0
import ContentStore
import JSON
import LinuxSystem
import Metadata
import OCISpec
import Testing

@testable import Supervisor

/// A content store with what a test puts into it.
private final class Store: Sendable {
    let content: ContentStore
    private let directory: FilePath

    init() throws {
        directory = FilePath("/tmp/swrun-push-test-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max))")
        try makeDirectory(directory, mode: 0o700)
        content = try ContentStore(root: directory / "content", database: Database(path: directory / "meta.db"))
    }

    deinit { try? removeTree(directory) }

    func put(_ text: String, _ mediaType: String, stored: Bool = true) throws -> Descriptor {
        let bytes = Array(text.utf8)
        if stored { try content.put("n", bytes) }
        return Descriptor(mediaType: mediaType, digest: Digest.sha256(of: bytes), size: Int64(bytes.count))
    }

    func put(_ json: JSONValue, _ mediaType: String) throws -> Descriptor { try put(json.serialized(), mediaType) }

    /// An image of one layer.
    func image(_ architecture: String, layerStored: Bool = true, foreign: Descriptor? = nil) throws -> Descriptor {
        let config = try put(
            ["architecture": .string(architecture), "os": "linux", "rootfs": ["type": "layers", "diff_ids": []]],
            MediaType.ociConfig)
        let layer = try put("layer of " + architecture, MediaType.ociLayerGzip, stored: layerStored)
        var manifest = try put(
            [
                "schemaVersion": 2, "mediaType": .string(MediaType.ociManifest), "config": config.json,
                "layers": .array([layer.json] + (foreign.map { [$0.json] } ?? [])),
            ], MediaType.ociManifest)
        manifest.platform = Platform(os: "linux", architecture: architecture)
        return manifest
    }

    func index(_ manifests: [Descriptor]) throws -> Descriptor {
        try put(
            [
                "schemaVersion": 2, "mediaType": .string(MediaType.ociIndex),
                "manifests": .array(manifests.map { $0.json }),
            ], MediaType.ociIndex)
    }

    func plan(_ target: Descriptor, _ platform: Platform? = nil) throws -> PushPlan {
        try PushPlanner(content: content, namespace: "n").plan(target, platform: platform)
    }
}

@Suite("Push plans")
struct PushPlanTests {
    @Test("of an image are its layers and its config")
    func image() throws {
        let store = try Store()
        let image = try store.image("amd64")
        let plan = try store.plan(image)
        #expect(plan.target == image && plan.manifests.isEmpty)
        #expect(plan.blobs.map { $0.mediaType } == [MediaType.ociLayerGzip, MediaType.ociConfig])
    }

    @Test("of an index are all its images, if they are here")
    func index() throws {
        let store = try Store()
        let images = [try store.image("amd64"), try store.image("s390x")]
        let index = try store.index(images)
        let plan = try store.plan(index)
        #expect(plan.target == index)
        #expect(plan.manifests.map { $0.digest } == images.map { $0.digest })
        #expect(plan.blobs.count == 4)
        #expect(try store.plan(index, Platform(os: "linux", architecture: "s390x")).target.digest == images[1].digest)
        #expect(throws: ServiceError.self) { try store.plan(index, Platform(os: "linux", architecture: "arm64")) }
    }

    @Test("of an index with one image here are that image")
    func partialIndex() throws {
        let store = try Store()
        let here = try store.image("s390x")
        let index = try store.index([try store.image("amd64", layerStored: false), here])
        #expect(try store.plan(index).target.digest == here.digest)
        let empty = try store.index([try store.image("amd64", layerStored: false)])
        #expect(throws: ServiceError.self) { try store.plan(empty) }
    }

    @Test("leave out layers that live elsewhere")
    func foreign() throws {
        let store = try Store()
        var foreign = try store.put(
            "elsewhere", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", stored: false)
        foreign.urls = ["https://cdn.example/layer"]
        let plan = try store.plan(try store.image("amd64", foreign: foreign))
        #expect(plan.foreign.map { $0.digest } == [foreign.digest])
        #expect(plan.blobs.count == 2)
    }
}

@Suite("Distribution source labels")
struct SourceLabelTests {
    @Test("remember every repository of a registry, and name the others")
    func add() throws {
        var labels: Labels = [:]
        for name in ["r.example/a", "r.example/b", "other.example/c", "r.example/a"] {
            SourceLabel(try ImageReference(name)).add(to: &labels)
        }
        #expect(labels["containerd.io/distribution.source.r.example"] == "b,a")
        #expect(SourceLabel(try ImageReference("r.example/x")).others(in: labels) == ["a", "b"])
        #expect(SourceLabel(try ImageReference("r.example/a")).others(in: labels) == ["b"])
        #expect(SourceLabel(try ImageReference("third.example/a")).others(in: labels).isEmpty)
    }
}

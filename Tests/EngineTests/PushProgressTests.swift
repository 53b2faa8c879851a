// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import JSON
import OCISpec
import SwiftProtobuf
import Testing

@testable import Engine

private func digest(_ character: Character) -> String { "sha256:" + String(repeating: character, count: 64) }

private func event(_ name: String, layer: Character, at: Int64 = 0) -> TransferProgress {
    .with {
        ($0.event, $0.progress, $0.total) = (name, at, 10)
        $0.desc.mediaType = MediaType.ociLayerGzip
        $0.desc.digest = digest(layer)
    }
}

/// Layers a (lowest) and b, unpacked 1 and 2.
private func details(target: Descriptor) throws -> ImageDetails {
    let config: JSONValue = [
        "architecture": "amd64", "os": "linux",
        "rootfs": ["type": "layers", "diff_ids": [.string(digest("1")), .string(digest("2"))]],
    ]
    return ImageDetails(
        id: digest("c"), target: target, manifestDigest: digest("d"),
        layers: try ["a", "b"].map {
            Descriptor(mediaType: MediaType.ociLayerGzip, digest: try Digest(digest($0)), size: 10)
        }, config: try ImageConfig(parsing: config.bytes()), chain: [], layerSizes: [])
}

@Suite("Push progress")
struct PushProgressTests {
    private let lower = "111111111111"
    private let upper = "222222222222"

    private func manifest() throws -> Descriptor {
        Descriptor(mediaType: MediaType.ociManifest, digest: try Digest(digest("d")), size: 500)
    }

    @Test("names layers by their diffIDs, the top one first, and tells what became of each")
    func lines() throws {
        var progress = PushProgress(tag: "1", try details(target: manifest()))
        #expect(progress.start() == [.step("Preparing", id: upper), .step("Preparing", id: lower)])
        let events = [
            event("waiting", layer: "a"), event("uploading", layer: "a", at: 10), event("complete", layer: "a", at: 10),
            event("mounted from team/base", layer: "b"), event("already exists", layer: "e"),
        ]
        #expect(
            events.flatMap { progress.take($0, now: 1) } == [
                .progress("Pushing", id: lower, current: 10, total: 10), .step("Pushed", id: lower),
                .step("Mounted from team/base", id: upper), .step("Preparing", id: "eeeeeeeeeeee"),
                .step("Layer already exists", id: "eeeeeeeeeeee"),
            ])
    }

    @Test("ends with digest and size for people and for programs")
    func end() throws {
        let target = try manifest()
        var progress = PushProgress(tag: "1", try details(target: target))
        #expect(progress.end(target: target).isEmpty)
        let done = TransferProgress.with {
            $0.event = "pushed content"
            ($0.desc.mediaType, $0.desc.digest, $0.desc.size) = (MediaType.ociManifest, digest("d"), 500)
        }
        #expect(progress.take(done, now: 1).isEmpty)
        #expect(
            progress.end(target: target) == [
                .status("1: digest: \(digest("d")) size: 500", id: nil),
                .aux(["Tag": "1", "Digest": .string(digest("d")), "Size": 500]),
            ])
        let index = Descriptor(mediaType: MediaType.ociIndex, digest: try Digest(digest("f")), size: 9)
        let last = try #require(progress.end(target: index).last)
        guard case .aux(let note) = last else { throw EngineError.internal("no aux") }
        #expect(note["manifestPushedInsteadOfIndex"]?.bool == true)
        #expect(note["originalIndex"]?["digest"]?.string == digest("f"))
        #expect(note["selectedManifest"]?["digest"]?.string == digest("d"))
    }

    @Test("more than five layers wait for their turn")
    func waiting() throws {
        var image = try details(target: manifest())
        image.layers = try "0123456".map {
            Descriptor(mediaType: MediaType.ociLayerGzip, digest: try Digest(digest($0)), size: 1)
        }
        let ids = "abcdef0".map { JSONValue.string(digest($0)) }
        let config: JSONValue = [
            "architecture": "amd64", "os": "linux", "rootfs": ["type": "layers", "diff_ids": .array(ids)],
        ]
        image.config = try ImageConfig(parsing: config.bytes())
        var progress = PushProgress(tag: "1", image)
        let lines = progress.start()
        #expect(lines.count == 9)
        #expect(Array(lines.suffix(2)) == [.step("Waiting", id: "bbbbbbbbbbbb"), .step("Waiting", id: "aaaaaaaaaaaa")])
    }
}

// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import OCISpec
import SwiftProtobuf
import Testing

@testable import Engine

private func event(_ name: String, layer: Character = "a", at: Int64 = 0, of total: Int64 = 10) -> TransferProgress {
    .with {
        $0.event = name
        $0.progress = at
        $0.total = total
        $0.desc.mediaType = MediaType.ociLayerGzip
        $0.desc.digest = "sha256:" + String(repeating: layer, count: 64)
    }
}

private func resolved(_ digest: Character) -> TransferProgress {
    .with {
        $0.event = "fetching image content"
        $0.desc.mediaType = MediaType.ociManifest
        $0.desc.digest = "sha256:" + String(repeating: digest, count: 64)
    }
}

@Suite("Pull progress")
struct PullProgressTests {
    private let a = "aaaaaaaaaaaa"
    private let b = "bbbbbbbbbbbb"

    private func lines(_ events: [TransferProgress], present: String? = nil) throws -> [ProgressMessage] {
        var progress = PullProgress(try ImageReference("busybox:1"), present: present)
        return events.flatMap { progress.take($0, now: 1) }
    }

    @Test("tells of a layer from start to end")
    func newLayer() throws {
        let events = [
            resolved("d"), event("waiting"), event("downloading", at: 10), event("complete", at: 10),
            event("extracting", at: 10), event("extracted", at: 10),
        ]
        #expect(
            try lines(events) == [
                .status("Pulling from library/busybox", id: "1"), .step("Pulling fs layer", id: a),
                .progress("Downloading", id: a, current: 10, total: 10), .step("Verifying Checksum", id: a),
                .step("Download complete", id: a),
                .progress("Extracting", id: a, current: 10, total: 10), .step("Pull complete", id: a),
            ])
    }

    @Test("says which layers wait, after all are announced")
    func waiting() throws {
        let config = TransferProgress.with {
            $0.event = "complete"
            $0.desc.mediaType = MediaType.ociConfig
        }
        let announced = [event("already exists", layer: "0")] + "abcde".map { event("waiting", layer: $0) }
        let seen = try lines([resolved("d")] + announced + [config, event("downloading", layer: "d", at: 1)])
        let words = seen.dropFirst().map { line -> String in
            if case .step(let status, let id) = line { return status + " " + id.prefix(1) }
            return "bar"
        }
        #expect(
            words == ["Already exists 0"] + "abcde".map { "Pulling fs layer \($0)" } + [
                "Waiting d", "Waiting e", "bar",
            ])
    }

    @Test("counts down to the next try of a download")
    func retry() throws {
        let events = [
            resolved("d"), event("downloading", at: 1), event("retrying in 2"), event("retrying in 1"),
            event("retrying in x"), event("downloading", at: 2),
        ]
        #expect(
            try lines(events).suffix(4) == [
                .progress("Downloading", id: a, current: 1, total: 10), .step("Retrying in 2 seconds", id: a),
                .step("Retrying in 1 second", id: a), .progress("Downloading", id: a, current: 2, total: 10),
            ])
    }

    @Test("tells of layers that are here")
    func present() throws {
        let seen = try lines([
            resolved("d"), event("already exists", layer: "b"), event("already exists", layer: "b"),
            event("extracting", layer: "b", at: 10),
        ])
        #expect(seen == [.status("Pulling from library/busybox", id: "1"), .step("Already exists", id: b)])
    }

    @Test("says nothing of layers when the image is up to date")
    func upToDate() throws {
        let digest = "sha256:" + String(repeating: "d", count: 64)
        let seen = try lines([resolved("d"), event("already exists")], present: digest)
        #expect(seen == [.status("Pulling from library/busybox", id: "1")])
        let progress = PullProgress(try ImageReference("busybox:1"), present: digest)
        #expect(
            progress.end(digest: digest) == [
                .status("Digest: \(digest)", id: nil), .status("Status: Image is up to date for busybox:1", id: nil),
            ])
    }

    @Test("completes layers that were unpacked before")
    func unpackedBefore() throws {
        var progress = PullProgress(try ImageReference("busybox:1"), present: nil)
        for event in [event("complete"), event("already exists", layer: "b")] { _ = progress.take(event, now: 1) }
        #expect(progress.end(digest: "d").first == .step("Pull complete", id: a))
        #expect(progress.end(digest: "d").count == 3)
    }

    @Test("does not flood")
    func rate() throws {
        var progress = PullProgress(try ImageReference("busybox:1"), present: nil)
        var bars = 0
        for step in 0..<1000 {
            for line in progress.take(event("downloading", at: Int64(step), of: 1000), now: 1 + Int64(step) * 1_000_000)
            {
                if case .progress = line { bars += 1 }
            }
        }
        #expect(bars == 10)
    }

    @Test("ignores what is no layer")
    func manifests() throws {
        let config = TransferProgress.with {
            $0.event = "downloading"
            $0.desc.mediaType = MediaType.ociConfig
        }
        #expect(try lines([config]).isEmpty)
    }
}

@Suite("Image names")
struct ImageNameTests {
    @Test(
        "puts image and tag together",
        arguments: [
            ("busybox", "", "docker.io/library/busybox:latest"), ("docker.io/library/x", "1", "docker.io/library/x:1"),
            ("127.0.0.1:5055/x", "1", "127.0.0.1:5055/x:1"), ("a/b:2", "", "docker.io/a/b:2"),
            (
                "x", "sha256:" + String(repeating: "0", count: 64),
                "docker.io/library/x@sha256:" + String(repeating: "0", count: 64)
            ),
        ])
    func pullReferences(_ image: String, _ tag: String, _ expected: String) throws {
        #expect(try ImageService.pullReference(image: image, tag: tag).string == expected)
    }

    @Test("refuses bad names as docker does")
    func bad() {
        #expect(throws: EngineError.self) { try ImageService.pullReference(image: "UPPER", tag: "") }
        #expect(ImageService.noSuchImage("nosuch") == .notFound("No such image: nosuch:latest"))
        #expect(ImageService.noSuchImage("nosuch:1") == .notFound("No such image: nosuch:1"))
    }

    @Test("knows whole IDs")
    func ids() {
        let hex = String(repeating: "a", count: 64)
        #expect(ImageService.isFullID(hex))
        #expect(ImageService.isFullID("sha256:" + hex))
        #expect(!ImageService.isFullID("aaaa"))
        #expect(shortImageID("sha256:" + hex) == "aaaaaaaaaaaa")
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Metadata
import OCISpec
import Testing

@testable import Supervisor

@Suite("Image records")
struct ImageStoreTests {
    private func record(_ digit: Character, _ labels: Labels) throws -> ImageRecord {
        let digest = try Digest("sha256:" + String(repeating: digit, count: 64))
        return ImageRecord(
            name: "x:1", target: Descriptor(mediaType: MediaType.ociManifest, digest: digest, size: 1), labels: labels)
    }

    @Test("take a pull's labels in place of their own, and keep their own at a load")
    func labels() throws {
        let directory = FilePath("/tmp/swrun-image-store-test-\(monotonicNanoseconds())")
        try makeDirectory(directory, mode: 0o700)
        defer { try? removeTree(directory) }
        let store = try ImageStore(database: try Database(path: directory / "meta.db"))
        _ = try store.put("n", try record("a", ["a": "1", "b": "1"]))
        #expect(try store.put("n", try record("a", ["b": "2"])).labels == ["b": "2"])
        #expect(try store.put("n", try record("b", ["c": "3"]), keepsLabels: true).labels == ["b": "2", "c": "3"])
        #expect(try store.get("n", ImageStore.danglingName(try record("a", [:]).target.digest)).labels == ["b": "2"])
    }
}

// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

@testable import Engine

@Suite("Manifests in an archive")
struct LayoutManifestTests {
    private func document(_ manifest: String, _ config: String, _ layer: String) -> [UInt8] {
        func blob(_ type: String) -> JSONValue {
            ["mediaType": .string(type), "digest": .string("sha256:" + String(repeating: "a", count: 64)), "size": 1]
        }
        let json: JSONValue = [
            "schemaVersion": 2, "mediaType": .string(manifest), "config": blob(config), "layers": .array([blob(layer)]),
        ]
        return json.bytes()
    }

    @Test("have OCI's media types")
    func docker() throws {
        let stored = document(MediaType.dockerManifest, MediaType.dockerConfig, MediaType.dockerLayerGzip)
        let converted = try LayoutManifest(converting: stored)
        #expect(converted.bytes == document(MediaType.ociManifest, MediaType.ociConfig, MediaType.ociLayerGzip))
        #expect(converted.digest == sha256Digest(converted.bytes))
    }

    @Test("stay as they are if they have them")
    func oci() throws {
        let stored = document(MediaType.ociManifest, MediaType.ociConfig, MediaType.ociLayerZstd)
        #expect(try LayoutManifest(converting: stored).bytes == stored)
        #expect(throws: ImageSpecError.self) { try LayoutManifest(converting: Array("{}".utf8)) }
    }
}

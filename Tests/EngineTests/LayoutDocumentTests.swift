// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

@testable import Engine

@Suite("Manifests in an archive")
struct LayoutDocumentTests {
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
        let converted = try LayoutDocument(converting: stored, platform: .host)
        #expect(converted.bytes == document(MediaType.ociManifest, MediaType.ociConfig, MediaType.ociLayerGzip))
        #expect(converted.digest == sha256Digest(converted.bytes))
    }

    @Test("stay as they are if they have them")
    func oci() throws {
        let stored = document(MediaType.ociManifest, MediaType.ociConfig, MediaType.ociLayerZstd)
        #expect(try LayoutDocument(converting: stored, platform: .host).bytes == stored)
        #expect(throws: ImageSpecError.self) { try LayoutDocument(converting: Array("{}".utf8), platform: .host) }
    }

    @Test("an index is the stored one if that names just these manifests")
    func index() throws {
        let documents = try [MediaType.ociLayer, MediaType.ociLayerGzip].map {
            try LayoutDocument(
                converting: document(MediaType.ociManifest, MediaType.ociConfig, $0), platform: .host)
        }
        let made = LayoutDocument(indexOf: documents, stored: [])
        let stored = LayoutDocument.index(of: documents.map(\.descriptor) + []).bytes() + Array("\n".utf8)
        #expect(LayoutDocument(indexOf: documents, stored: stored).bytes == stored)
        #expect(LayoutDocument(indexOf: documents.reversed(), stored: stored).bytes != stored)
        guard case .index(let index) = try ImageDocument(parsing: made.bytes, mediaType: "") else {
            Issue.record("not an index")
            return
        }
        #expect(index.manifests.map(\.digest.string) == documents.map(\.digest))
        #expect(index.manifests.map(\.platform) == [.host, .host])
    }
}

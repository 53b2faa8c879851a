// SPDX-License-Identifier: Apache-2.0
import Crypto
import JSON
import OCISpec

/// A manifest or index as it stands in an OCI image layout (image-spec, image-layout.md): docker's manifest schema 2 with
/// OCI's media types, since readers skip what they do not know; an OCI manifest as it is.
struct LayoutDocument {
    let bytes: [UInt8]
    let digest: String
    /// How an index names it.
    let descriptor: JSONValue

    /// A manifest.
    ///
    /// - Throws: `ImageSpecError` if `stored` is none.
    init(converting stored: [UInt8], platform: Platform) throws {
        let bytes: [UInt8]
        if case .manifest(var manifest) = try ImageDocument(parsing: stored, mediaType: ""),
            manifest.mediaType == MediaType.dockerManifest
        {
            manifest.mediaType = MediaType.ociManifest
            manifest.config = manifest.config.asOCI
            manifest.layers = manifest.layers.map(\.asOCI)
            bytes = manifest.json.bytes()
        } else {
            bytes = stored
        }
        self.init(bytes, MediaType.ociManifest, platform)
    }

    /// An index of manifests: the image's own if that is OCI's and names these and no others, so that its digest stays.
    init(indexOf documents: [LayoutDocument], stored: [UInt8]) {
        var bytes = Self.index(of: documents.map(\.descriptor)).bytes()
        if case .index(let index)? = try? ImageDocument(parsing: stored, mediaType: ""),
            index.mediaType == MediaType.ociIndex, index.manifests.map(\.digest.string) == documents.map(\.digest)
        {
            bytes = stored
        }
        self.init(bytes, MediaType.ociIndex, nil)
    }

    private init(_ bytes: [UInt8], _ mediaType: String, _ platform: Platform?) {
        self.bytes = bytes
        digest = sha256Digest(bytes)
        var descriptor: JSONValue = [
            "mediaType": .string(mediaType), "digest": .string(digest), "size": .int(Int64(bytes.count)),
        ]
        if let platform { descriptor.set("platform", platform.json) }
        self.descriptor = descriptor
    }

    /// An image index (image-spec, image-index.md).
    static func index(of descriptors: [JSONValue]) -> JSONValue {
        ["schemaVersion": 2, "mediaType": .string(MediaType.ociIndex), "manifests": .array(descriptors)]
    }
}

/// `sha256:` and the hexadecimal digits of what the bytes hash to.
func sha256Digest(_ bytes: [UInt8]) -> String {
    let hex = SHA256.hash(data: bytes).map { byte in
        let digits = String(byte, radix: 16)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }
    return "sha256:" + hex.joined()
}

extension Descriptor {
    /// The same blob under OCI's media type: readers of an OCI manifest know no other.
    var asOCI: Descriptor {
        var copy = self
        switch mediaType {
        case MediaType.dockerConfig: copy.mediaType = MediaType.ociConfig
        case MediaType.dockerLayer: copy.mediaType = MediaType.ociLayer
        case MediaType.dockerLayerGzip: copy.mediaType = MediaType.ociLayerGzip
        default: break
        }
        return copy
    }
}

// SPDX-License-Identifier: Apache-2.0
import Crypto
import JSON
import OCISpec

/// A manifest as it stands in an OCI image layout (image-spec, image-layout.md): docker's manifest schema 2 with OCI's
/// media types, since readers skip what they do not know; an OCI manifest as it is.
struct LayoutManifest {
    let bytes: [UInt8]
    let digest: String

    /// - Throws: `ImageSpecError` if `stored` is no manifest.
    init(converting stored: [UInt8]) throws {
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
        digest = sha256Digest(bytes)
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

// SPDX-License-Identifier: Apache-2.0
import JSON

/// What an image's target descriptor can point to.
package enum ImageDocument: Sendable, Equatable {
    case manifest(Manifest)
    case index(Index)

    /// The largest manifest or index that is read at all (docker and containerd use 4 MiB too).
    package static let maximumBytes = 4 << 20

    /// Reads a manifest or index.
    ///
    /// A document that could be taken for both, or that calls itself otherwise than the registry or descriptor did, is
    /// refused: two programs must never see two images under one digest (CVE-2021-41190).
    ///
    /// - Parameter mediaType: what the registry or the descriptor calls it; empty if nothing did.
    package init(parsing bytes: [UInt8], mediaType declared: String) throws(ImageSpecError) {
        guard bytes.count <= ImageDocument.maximumBytes else { throw ImageSpecError("manifest is larger than 4 MiB") }
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes, maximumDepth: 64) } catch {
            throw ImageSpecError("manifest is no valid JSON: " + error.description)
        }
        try self.init(json, declared: declared)
    }

    private init(_ json: JSONValue, declared: String) throws(ImageSpecError) {
        let own = json["mediaType"]?.string ?? ""
        if MediaType.isSchema1(declared) || MediaType.isSchema1(own) || json["schemaVersion"]?.int == 1 {
            throw ImageSpecError(
                "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed."
                    + " Upgrade the image to Docker Image Format v2, schema 2 or OCI")
        }
        let hasManifests = json["manifests"] != nil
        let hasLayers = json["layers"] != nil || json["config"] != nil || json["fsLayers"] != nil
        if hasManifests && hasLayers { throw ImageSpecError("document is both a manifest and an index") }
        if ImageDocument.isKnown(own) && ImageDocument.isKnown(declared) && own != declared {
            throw ImageSpecError("manifest calls itself " + own + " but was served as " + declared)
        }
        let type = ImageDocument.isKnown(declared) ? declared : own
        if MediaType.isIndex(type) || (type.isEmpty && hasManifests) {
            self = .index(try Index(json, mediaType: type.isEmpty ? MediaType.ociIndex : type))
        } else if MediaType.isManifest(type) || (type.isEmpty && hasLayers) {
            self = .manifest(try Manifest(json, mediaType: type.isEmpty ? MediaType.ociManifest : type))
        } else {
            throw ImageSpecError("unsupported manifest media type \"" + (declared.isEmpty ? own : declared) + "\"")
        }
    }

    private static func isKnown(_ type: String) -> Bool { MediaType.isManifest(type) || MediaType.isIndex(type) }
}

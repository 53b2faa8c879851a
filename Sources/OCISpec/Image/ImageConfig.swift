// SPDX-License-Identifier: Apache-2.0
package import JSON

/// An image's configuration (image-spec config.md): its platform, its layers, and defaults for containers. Untrusted:
/// whoever uses `document` validates what it takes from there.
package struct ImageConfig: Sendable, Equatable {
    package var platform: Platform
    /// The digests of the uncompressed layers, lowest first.
    package var diffIDs: [Digest]
    /// RFC 3339 as the image has it; may be absent.
    package var created: String?
    /// The whole document, with the `config` object that holds Env, Cmd and the rest.
    package var document: JSONValue

    package static let maximumBytes = 8 << 20

    package init(parsing bytes: [UInt8]) throws(ImageSpecError) {
        guard bytes.count <= ImageConfig.maximumBytes else { throw ImageSpecError("image config is larger than 8 MiB") }
        do throws(JSONError) { document = try JSONValue(parsing: bytes, maximumDepth: 64) } catch {
            throw ImageSpecError("image config is no valid JSON: " + error.description)
        }
        guard document.members != nil else { throw ImageSpecError("image config is no JSON object") }
        platform = try Platform(document)
        created = document["created"]?.string
        diffIDs = []
        guard let rootfs = document["rootfs"] else { throw ImageSpecError("image config has no rootfs") }
        guard rootfs["type"]?.string ?? "layers" == "layers" else {
            throw ImageSpecError("image rootfs is not of layers")
        }
        let list = rootfs["diff_ids"] ?? .array([])
        if list.isNull { return }
        guard let digests = list.strings else { throw ImageSpecError("image config has invalid diff_ids") }
        guard digests.count <= Manifest.maximumLayers else { throw ImageSpecError("image has too many layers") }
        for digest in digests { diffIDs.append(try Digest(digest)) }
    }
}

// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Names a blob with its type and size (image-spec, descriptor.md). `data` is read and never used.
package struct Descriptor: Sendable, Equatable {
    package var mediaType: String
    package var digest: Digest
    package var size: Int64
    package var platform: Platform?
    package var annotations: Annotations
    package var artifactType: String?
    /// Where else the blob may be had; only a layer that no registry stores (`MediaType.isForeign`) comes from there.
    package var urls: [String] = []

    package init(
        mediaType: String, digest: Digest, size: Int64, platform: Platform? = nil,
        annotations: Annotations = Annotations(), artifactType: String? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.annotations = annotations
        self.artifactType = artifactType
    }

    package init(_ json: JSONValue) throws(ImageSpecError) {
        guard let digest = json["digest"]?.string else { throw ImageSpecError("descriptor has no digest") }
        guard let size = json["size"]?.int, size >= 0 else { throw ImageSpecError("descriptor has no valid size") }
        self.digest = try Digest(digest)
        self.size = size
        mediaType = json["mediaType"]?.string ?? ""
        artifactType = json["artifactType"]?.string
        urls = json["urls"]?.array?.prefix(16).compactMap { $0.string } ?? []
        annotations = try Annotations(json["annotations"])
        platform = nil
        if let value = json["platform"], !value.isNull { platform = try Platform(value) }
    }

    package var json: JSONValue {
        var json: JSONValue = ["mediaType": .string(mediaType), "digest": .string(digest.string), "size": .int(size)]
        if let platform { json.set("platform", platform.json) }
        if !annotations.isEmpty { json.set("annotations", annotations.json) }
        if let artifactType { json.set("artifactType", .string(artifactType)) }
        if !urls.isEmpty { json.set("urls", .strings(urls)) }
        return json
    }

    /// An attestation that BuildKit stores beside an image, not an image to run.
    package var isAttestation: Bool {
        annotations["vnd.docker.reference.type"] == "attestation-manifest"
            || (platform?.os == "unknown" && platform?.architecture == "unknown")
    }
}

// SPDX-License-Identifier: Apache-2.0
package import JSON

/// An image index (image-spec image-index.md) or docker manifest list: one descriptor for each platform.
package struct Index: Sendable, Equatable {
    package var mediaType: String
    package var manifests: [Descriptor]
    package var artifactType: String?
    package var subject: Descriptor?
    package var annotations: Annotations

    package static let maximumManifests = 10_000

    package init(mediaType: String, manifests: [Descriptor], annotations: Annotations = Annotations()) {
        self.mediaType = mediaType
        self.manifests = manifests
        self.annotations = annotations
    }

    init(_ json: JSONValue, mediaType: String) throws(ImageSpecError) {
        guard let manifests = json["manifests"]?.array else { throw ImageSpecError("index has no manifests") }
        guard manifests.count <= Index.maximumManifests else { throw ImageSpecError("index has too many manifests") }
        self.mediaType = mediaType
        self.manifests = []
        for manifest in manifests { self.manifests.append(try Descriptor(manifest)) }
        artifactType = json["artifactType"]?.string
        annotations = try Annotations(json["annotations"])
        if let subject = json["subject"], !subject.isNull { self.subject = try Descriptor(subject) }
    }

    package var json: JSONValue {
        var list: [JSONValue] = []
        for manifest in manifests { list.append(manifest.json) }
        var json: JSONValue = ["schemaVersion": 2, "mediaType": .string(mediaType)]
        if let artifactType { json.set("artifactType", .string(artifactType)) }
        json.set("manifests", .array(list))
        if let subject { json.set("subject", subject.json) }
        if !annotations.isEmpty { json.set("annotations", annotations.json) }
        return json
    }

    /// The image for `platform`; attestations are never chosen. Entries without a platform count only when there is
    /// nothing else to choose from.
    package func manifest(for platform: Platform) -> Descriptor? {
        var candidates: [Descriptor] = []
        for manifest in manifests where !manifest.isAttestation { candidates.append(manifest) }
        var platforms: [Platform?] = []
        for candidate in candidates { platforms.append(candidate.platform) }
        if let best = platform.best(among: platforms) { return candidates[best] }
        return candidates.count == 1 && candidates[0].platform == nil ? candidates[0] : nil
    }
}

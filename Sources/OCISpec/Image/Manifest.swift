// SPDX-License-Identifier: Apache-2.0
package import JSON

/// An image manifest (image-spec manifest.md, docker schema 2): one config and its layers, lowest first.
package struct Manifest: Sendable, Equatable {
    package var mediaType: String
    package var config: Descriptor
    package var layers: [Descriptor]
    package var artifactType: String?
    package var subject: Descriptor?
    package var annotations: Annotations

    package static let maximumLayers = 1000

    package init(mediaType: String, config: Descriptor, layers: [Descriptor], annotations: Annotations = Annotations())
    {
        self.mediaType = mediaType
        self.config = config
        self.layers = layers
        self.annotations = annotations
    }

    init(_ json: JSONValue, mediaType: String) throws(ImageSpecError) {
        guard let config = json["config"] else { throw ImageSpecError("manifest has no config") }
        guard let layers = json["layers"]?.array else { throw ImageSpecError("manifest has no layers") }
        guard layers.count <= Manifest.maximumLayers else { throw ImageSpecError("manifest has too many layers") }
        self.mediaType = mediaType
        self.config = try Descriptor(config)
        self.layers = []
        for layer in layers { self.layers.append(try Descriptor(layer)) }
        artifactType = json["artifactType"]?.string
        annotations = try Annotations(json["annotations"])
        if let subject = json["subject"], !subject.isNull { self.subject = try Descriptor(subject) }
    }

    package var json: JSONValue {
        var list: [JSONValue] = []
        for layer in layers { list.append(layer.json) }
        var json: JSONValue = ["schemaVersion": 2, "mediaType": .string(mediaType)]
        if let artifactType { json.set("artifactType", .string(artifactType)) }
        json.set("config", config.json)
        json.set("layers", .array(list))
        if let subject { json.set("subject", subject.json) }
        if !annotations.isEmpty { json.set("annotations", annotations.json) }
        return json
    }
}

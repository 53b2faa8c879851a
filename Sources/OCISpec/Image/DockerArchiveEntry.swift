// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What `manifest.json` in an archive of `docker save` tells of one image (Docker Image Specification v1.2, "Combined Image
/// JSON + Filesystem Changeset Format").
package struct DockerArchiveEntry: Sendable, Equatable {
    /// The configuration's file in the archive.
    package var config: String
    /// The names of the image, as `docker save` writes them: `busybox:latest`.
    package var names: [ImageReference]
    /// The layers' files, lowest first.
    package var layers: [String]

    package init(config: String, names: [ImageReference], layers: [String]) {
        self.config = config
        self.names = names
        self.layers = layers
    }

    /// An image whose blobs lie in the archive as in an OCI image layout.
    package init(config: Digest, names: [ImageReference], layers: [Descriptor]) {
        self.init(config: config.layoutPath, names: names, layers: layers.map { $0.digest.layoutPath })
    }

    /// Reads `manifest.json`.
    ///
    /// - Throws: `ImageSpecError` if it is no list of entries with a configuration and layers, or a name is invalid.
    package static func parse(_ bytes: [UInt8]) throws(ImageSpecError) -> [DockerArchiveEntry] {
        guard let list = (try? JSONValue(parsing: bytes, maximumDepth: 32))?.array else {
            throw ImageSpecError("manifest.json is no JSON list")
        }
        var entries: [DockerArchiveEntry] = []
        for json in list { entries.append(try DockerArchiveEntry(json)) }
        return entries
    }

    private init(_ json: JSONValue) throws(ImageSpecError) {
        // An image without layers has null there, as Go writes an empty list.
        let list = json["Layers"] ?? .null
        guard let config = json["Config"]?.string, let layers = list.isNull ? [] : list.strings else {
            throw ImageSpecError("manifest.json has an entry without Config or Layers")
        }
        guard layers.count <= Manifest.maximumLayers else { throw ImageSpecError("image has too many layers") }
        var names: [ImageReference] = []
        for name in json["RepoTags"]?.strings ?? [] { names.append(try ImageReference(name)) }
        self.init(config: config, names: names, layers: layers)
    }

    package var json: JSONValue {
        [
            "Config": .string(config), "RepoTags": names.isEmpty ? .null : .strings(names.map { $0.familiar }),
            "Layers": .strings(layers),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The document that stands for several images: a docker manifest list, or an OCI index if its first image is an OCI
/// one. Its bytes are those that docker's client makes of the same images.
package struct ManifestList: Sendable {
    package var json: JSONValue

    /// - Parameter members: in the order of the list.
    package init(_ members: [StoredManifest]) {
        let isIndex = members.first?.mediaType == "application/vnd.oci.image.manifest.v1+json"
        let entries = members.map { member in
            var entry = member.json["Descriptor"] ?? .object([])
            entry.set("platform", member.platform.json)
            return entry
        }
        json = [
            "schemaVersion": 2,
            "mediaType": .string(
                isIndex
                    ? "application/vnd.oci.image.index.v1+json"
                    : "application/vnd.docker.distribution.manifest.list.v2+json"),
            "manifests": .array(entries),
        ]
    }

    /// A list as a registry has it.
    package init(document: JSONValue) { json = document }

    package var mediaType: String { json["mediaType"]?.string ?? "" }

    /// Three spaces for each level, and the members of entries in docker's order.
    package var text: String {
        let entries = (json["manifests"]?.array ?? []).map { entry in
            Self.ordered(entry, ["mediaType", "size", "digest", "platform"])
        }
        var shown = Self.ordered(json, ["schemaVersion", "mediaType"])
        shown.set("manifests", .array(entries))
        return shown.serialized(JSONFormat(indent: 3, escapesHTML: true))
    }

    private static func ordered(_ object: JSONValue, _ names: [String]) -> JSONValue {
        var result: JSONValue = .object([])
        for name in names { if let value = object[name] { result.set(name, value) } }
        return result
    }
}

// SPDX-License-Identifier: Apache-2.0
package import JSON

/// One image of a manifest list: what `~/.docker/manifests` keeps of it and `manifest inspect -v` prints, in docker's
/// form: `Ref`, `Descriptor`, `Raw` and the parsed manifest.
package struct StoredManifest: Sendable, Equatable {
    /// The whole entry; what we do not know stays as another client wrote it.
    package var json: JSONValue

    package init(json: JSONValue) { self.json = json }

    /// - Parameters:
    ///   - reference: the image's full name.
    ///   - raw: the manifest's text, whose digest is that of `descriptor`.
    ///   - platform: what the manifest is for; nil if that is not known.
    package init(reference: String, descriptor: JSONValue, platform: JSONValue?, raw: String, document: JSONValue) {
        let type = descriptor["mediaType"]?.string ?? ""
        var shown: JSONValue = [
            "mediaType": .string(type), "digest": descriptor["digest"] ?? "", "size": descriptor["size"] ?? 0,
        ]
        if let platform { shown.set("platform", platform) }
        json = [
            "Ref": .string(reference), "Descriptor": shown, "Raw": .string(Base64.encode(Array(raw.utf8))),
            (type.contains(text: "oci") ? "OCIManifest" : "SchemaV2Manifest"): document,
        ]
    }

    /// The image's full name.
    package var reference: String { json["Ref"]?.string ?? "" }
    package var mediaType: String { json["Descriptor"]?["mediaType"]?.string ?? "" }
    package var digest: String { json["Descriptor"]?["digest"]?.string ?? "" }
    /// The manifest as the registry has it; nil if the entry is damaged.
    package var bytes: [UInt8]? { json["Raw"]?.string.flatMap { Base64.decode($0) } }
    /// The parsed manifest.
    package var document: JSONValue { json["OCIManifest"] ?? json["SchemaV2Manifest"] ?? .null }

    /// What the list says of the platform.
    package var platform: ManifestPlatform {
        get { ManifestPlatform(json["Descriptor"]?["platform"] ?? .null) }
        set {
            var descriptor = json["Descriptor"] ?? .object([])
            descriptor.set("platform", newValue.json)
            json.set("Descriptor", descriptor)
        }
    }
}

/// The platform of an entry in a manifest list (image-spec image-index.md), as it is written there.
package struct ManifestPlatform: Sendable, Equatable {
    package var architecture = ""
    package var os = ""
    package var osVersion = ""
    package var osFeatures: [String] = []
    package var variant = ""

    package init(_ json: JSONValue) {
        architecture = json["architecture"]?.string ?? ""
        os = json["os"]?.string ?? ""
        osVersion = json["os.version"]?.string ?? ""
        osFeatures = json["os.features"]?.strings ?? []
        variant = json["variant"]?.string ?? ""
    }

    package var json: JSONValue {
        var json: JSONValue = ["architecture": .string(architecture), "os": .string(os)]
        if !osVersion.isEmpty { json.set("os.version", .string(osVersion)) }
        if !osFeatures.isEmpty { json.set("os.features", .array(osFeatures.map { .string($0) })) }
        if !variant.isEmpty { json.set("variant", .string(variant)) }
        return json
    }

    /// What docker's client takes as a platform of a list.
    private static let architectures: [String: [String]] = [
        "linux": ["386", "amd64", "arm", "arm64", "mips64", "mips64le", "ppc64le", "riscv64", "s390x"],
        "darwin": ["386", "amd64", "arm", "arm64"], "windows": ["386", "amd64"], "plan9": ["386", "amd64"],
        "freebsd": ["386", "amd64", "arm"], "netbsd": ["386", "amd64", "arm"], "openbsd": ["386", "amd64", "arm"],
        "dragonfly": ["amd64"], "solaris": ["amd64"],
    ]

    /// Whether docker's client lets a user say so.
    package var isKnown: Bool { Self.architectures[os]?.contains(architecture) ?? false }
}

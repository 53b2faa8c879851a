// SPDX-License-Identifier: Apache-2.0
package import JSON
package import LinuxSystem
package import OCISpec

/// What there is to know about an image for one platform: a manifest, its configuration and its unpacked layers. It
/// never changes: everything is named by digest.
package struct ImageDetails: Sendable, Equatable {
    /// docker's image ID: the digest of the configuration.
    package var id: String
    /// What image names point to: the manifest, or the index that it is in.
    package var target: Descriptor
    package var manifestDigest: String
    package var layers: [Descriptor]
    package var config: ImageConfig
    /// The snapshots of the layers, lowest first; empty if the image was not unpacked.
    package var chain: [String]
    /// The directories of the snapshots, lowest first; empty if the supervisor does not tell them.
    package var directories: [FilePath] = []
    /// The bytes of each snapshot by itself: the lengths of its files.
    package var layerSizes: [Int64]

    /// The image that it was made from here, by `commit`; empty if it came from elsewhere.
    package var parent = ""

    /// Unpacked, all layers together.
    package var size: Int64 { layerSizes.reduce(0) { $0.addingSaturating($1) } }

    package var created: Timestamp { config.created.flatMap { Timestamp(rfc3339: $0) } ?? Timestamp(nanoseconds: 0) }

    /// The `config` object: Env, Cmd, Labels, …
    package var runConfig: JSONValue { config.document["config"] ?? .object([]) }

    package var labels: [(key: String, value: String)] { runConfig["Labels"]?.stringPairs ?? [] }
}

/// An image as the container service asks for it.
package struct ImageRecord: Sendable {
    /// `sha256:…`, the digest of the configuration.
    package var id: String
    /// The top snapshot: the parent of a container's writable one; empty for an image without layers.
    package var chainID: String
    /// The whole image configuration (image-spec config.md).
    package var config: JSONValue
    /// The full name by which it was found, `docker.io/library/busybox:latest`; empty if that was an ID.
    package var name: String
    package var manifestDigest: String
    package var platform: Platform
    /// Unpacked size in bytes.
    package var size: Int64
}

// SPDX-License-Identifier: Apache-2.0

/// The media types of images (OCI image-spec, media-types.md; docker's image manifest schema 2), and what they mean.
package enum MediaType {
    package static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    package static let ociIndex = "application/vnd.oci.image.index.v1+json"
    package static let ociConfig = "application/vnd.oci.image.config.v1+json"
    package static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
    package static let ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    package static let ociLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"
    package static let dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    /// A tar of criu's files, and a container's spec as a protobuf message: containerd's types of a saved task.
    package static let checkpoint = "application/vnd.containerd.container.criu.checkpoint.criu.tar"
    package static let checkpointConfig = "application/vnd.containerd.container.checkpoint.config.v1+proto"
    package static let dockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json"
    package static let dockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"

    /// What a client asks a registry for.
    package static let acceptedManifests = [ociIndex, dockerManifestList, ociManifest, dockerManifest]

    /// A layer that must not be pushed to registries and comes from its descriptor's `urls`.
    package static func isForeign(_ type: String) -> Bool {
        type.hasPrefix("application/vnd.oci.image.layer.nondistributable.v1.tar")
            || type.hasPrefix("application/vnd.docker.image.rootfs.foreign.diff.tar")
    }

    package static func isManifest(_ type: String) -> Bool { type == ociManifest || type == dockerManifest }

    package static func isIndex(_ type: String) -> Bool { type == ociIndex || type == dockerManifestList }

    package static func isSchema1(_ type: String) -> Bool { type == dockerSchema1 || type == dockerSchema1Signed }

    /// A tar layer of any compression, the deprecated non-distributable ones included.
    package static func isLayer(_ type: String) -> Bool {
        type.hasPrefix("application/vnd.oci.image.layer.v1.tar")
            || type.hasPrefix("application/vnd.oci.image.layer.nondistributable.v1.tar")
            || type.hasPrefix("application/vnd.docker.image.rootfs.diff.tar")
            || type.hasPrefix("application/vnd.docker.image.rootfs.foreign.diff.tar")
    }
}

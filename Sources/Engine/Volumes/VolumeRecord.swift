// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// A volume: a directory that outlives containers.
package struct VolumeRecord: Sendable, Equatable {
    package var name: String
    package var created: Timestamp
    /// nil when the client gave none, which docker shows as null.
    package var labels: [String: String]?
    package var options: [String: String]?

    package static let anonymousLabel = "com.docker.volume.anonymous"

    package var isAnonymous: Bool { labels?[VolumeRecord.anonymousLabel] != nil }
}

/// A volume as a container mounts it.
package struct VolumeMount: Sendable, Equatable {
    package var name: String
    /// The directory on the host to bind.
    package var source: FilePath
    /// No container may write to it, whatever its own mount says (`o=bind,ro`).
    package var isReadOnly = false
}

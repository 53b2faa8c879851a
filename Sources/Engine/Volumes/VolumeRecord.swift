// SPDX-License-Identifier: Apache-2.0
package import JSON
package import LinuxSystem

/// What we know about a volume ourselves: a directory that outlives containers, or a name that a plugin knows.
package struct VolumeRecord: Sendable, Equatable {
    package var name: String
    package var driver = VolumeRecord.localDriver
    package var created: Timestamp
    /// nil when the client gave none, which docker shows as null.
    package var labels: [String: String]?
    package var options: [String: String]?

    package static let anonymousLabel = "com.docker.volume.anonymous"
    /// Our own driver.
    package static let localDriver = "local"

    package var isAnonymous: Bool { labels?[VolumeRecord.anonymousLabel] != nil }

    /// It is ours, no plugin's.
    package var isLocal: Bool { driver == VolumeRecord.localDriver }
}

/// A volume as inspect and list show it.
package struct VolumeDescription: Sendable {
    package var record: VolumeRecord
    /// RFC 3339, whole seconds.
    package var created: String
    package var mountpoint: String
    package var scope = "local"
    /// Whatever its plugin says about it.
    package var status: JSONValue?
}

/// A volume as a container mounts it.
package struct VolumeMount: Sendable, Equatable {
    package var name: String
    /// The directory on the host to bind.
    package var source: FilePath
    /// No container may write to it, whatever its own mount says (`o=bind,ro`).
    package var isReadOnly = false
}

// SPDX-License-Identifier: Apache-2.0
// Snapshots: file system states as layers. A driver says how to mount a state; it never mounts anything itself.
//
//   prepare(key, parent) → active ──commit(name)──▶ committed ◀── parent of the next
//   view(key, parent)    → view (read-only)
//
// Names are chosen by the caller (chainIDs for image layers, container ids for their writable layer) and belong to a
// namespace. containerd's snapshots service has the same verbs and rules.
package import LinuxSystem
package import Metadata

/// A mount for someone else to make, in containerd's form.
package struct SnapshotMount: Sendable, Equatable {
    package var type: String
    package var source: String
    package var options: [String]

    package init(type: String, source: String, options: [String]) {
        self.type = type
        self.source = source
        self.options = options
    }
}

/// What a snapshot is.
package enum SnapshotKind: Int64, Sendable, Equatable {
    case view = 1
    case active = 2
    case committed = 3
}

/// The record of a snapshot.
package struct SnapshotInfo: Sendable, Equatable {
    package var name: String
    /// Empty for a lowest layer.
    package var parent: String
    package var kind: SnapshotKind
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var labels: Labels
}

/// Disk space of one snapshot alone, without its parents.
package struct SnapshotUsage: Sendable, Equatable {
    package var bytes: Int64
    package var inodes: Int64

    package init(bytes: Int64, inodes: Int64) {
        self.bytes = bytes
        self.inodes = inodes
    }
}

/// A snapshot driver. All calls block; they are safe from any thread. Errors are `ServiceError`s of kinds notFound,
/// alreadyExists, failedPrecondition and invalidArgument, or the kernel's.
package protocol Snapshotter: Sendable {
    /// The driver's name in the API, such as `overlayfs`.
    var name: String { get }

    func stat(_ namespace: String, _ key: String) throws -> SnapshotInfo

    /// Changes the labels of a snapshot.
    func updateLabels(
        _ namespace: String, _ key: String, _ change: (inout Labels) -> Void
    ) throws -> SnapshotInfo

    func usage(_ namespace: String, _ key: String) throws -> SnapshotUsage

    /// How to mount an active snapshot or a view.
    func mounts(_ namespace: String, _ key: String) throws -> [SnapshotMount]

    /// Makes a writable snapshot on a committed `parent`, or on nothing if that is empty.
    func prepare(_ namespace: String, _ key: String, parent: String, labels: Labels) throws -> [SnapshotMount]

    /// Makes a read-only snapshot of a committed `parent`.
    func view(_ namespace: String, _ key: String, parent: String, labels: Labels) throws -> [SnapshotMount]

    /// Turns the active snapshot `key` into the committed `name`. With `durability: .later` the caller must call
    /// `makeDurable` before it lets any durable record depend on the snapshot.
    func commit(
        _ namespace: String, name: String, key: String, labels: Labels, durability: SnapshotDurability
    ) throws

    /// Flushes the content of committed snapshots to disk.
    func makeDurable(_ namespace: String, _ names: [String]) throws

    /// Removes a snapshot without children.
    func remove(_ namespace: String, _ key: String) throws

    /// All snapshots of a namespace, parents before children.
    func list(_ namespace: String) throws -> [SnapshotInfo]

    /// Removes what crashes left on disk.
    func cleanup() throws
}

/// When the content of a snapshot is flushed.
package enum SnapshotDurability: Sendable {
    case now
    case later
}

extension Snapshotter {
    /// Commits with the content flushed.
    package func commit(_ namespace: String, name: String, key: String, labels: Labels = [:]) throws {
        try commit(namespace, name: name, key: key, labels: labels, durability: .now)
    }

    package func prepare(_ namespace: String, _ key: String, parent: String = "") throws -> [SnapshotMount] {
        try prepare(namespace, key, parent: parent, labels: [:])
    }

    package func exists(_ namespace: String, _ key: String) throws -> Bool {
        do { _ = try stat(namespace, key) } catch let error as ServiceError where error.kind == .notFound {
            return false
        }
        return true
    }
}

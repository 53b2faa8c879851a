// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
package import ContainerdAPI
import SwiftProtobuf

private let service = "containerd.services.snapshots.v1.Snapshots"

/// Layers and the writable directories on top of them. A committed snapshot is named by its chainID.
extension SupervisorConnection {
    package static var snapshotter: String { "overlayfs" }

    /// The label by which containerd's overlay driver tells a snapshot's directory, if it is configured to.
    package static var directoryLabel: String { "containerd.io/snapshot/overlay.upperdir" }

    /// A writable snapshot on top of `parent`; returns how to mount it.
    package func prepareSnapshot(
        _ key: String, parent: String, labels: [String: String] = [:]
    ) async throws -> [MountMessage] {
        let request = Containerd_Services_Snapshots_V1_PrepareSnapshotRequest.with {
            ($0.snapshotter, $0.key, $0.parent, $0.labels) = (Self.snapshotter, key, parent, labels)
        }
        let answer: Containerd_Services_Snapshots_V1_PrepareSnapshotResponse = try await call(
            service, "Prepare", request)
        return answer.mounts
    }

    /// A read-only snapshot of `parent`, to be removed like any other.
    package func viewSnapshot(_ key: String, parent: String) async throws -> [MountMessage] {
        let request = Containerd_Services_Snapshots_V1_ViewSnapshotRequest.with {
            ($0.snapshotter, $0.key, $0.parent) = (Self.snapshotter, key, parent)
        }
        let answer: Containerd_Services_Snapshots_V1_ViewSnapshotResponse = try await call(service, "View", request)
        return answer.mounts
    }

    package func snapshotMounts(_ key: String) async throws -> [MountMessage] {
        let request = Containerd_Services_Snapshots_V1_MountsRequest.with {
            ($0.snapshotter, $0.key) = (Self.snapshotter, key)
        }
        let answer: Containerd_Services_Snapshots_V1_MountsResponse = try await call(
            service, "Mounts", request, isIdempotent: true)
        return answer.mounts
    }

    /// Turns the writable snapshot `key` into the layer `name`.
    package func commitSnapshot(_ name: String, key: String) async throws {
        let request = Containerd_Services_Snapshots_V1_CommitSnapshotRequest.with {
            ($0.snapshotter, $0.name, $0.key) = (Self.snapshotter, name, key)
        }
        let _: Google_Protobuf_Empty = try await call(service, "Commit", request)
    }

    package func removeSnapshot(_ key: String) async throws {
        let request = Containerd_Services_Snapshots_V1_RemoveSnapshotRequest.with {
            ($0.snapshotter, $0.key) = (Self.snapshotter, key)
        }
        let _: Google_Protobuf_Empty = try await call(service, "Remove", request)
    }

    /// The keys of all snapshots that are no layers: writable ones and views.
    package func uncommittedSnapshots() async throws -> [String] {
        let request = Containerd_Services_Snapshots_V1_ListSnapshotsRequest.with { $0.snapshotter = Self.snapshotter }
        let answers = try await serverStream(
            service, "List", request, returning: Containerd_Services_Snapshots_V1_ListSnapshotsResponse.self)
        var keys: [String] = []
        for try await answer in answers { keys += answer.info.filter { $0.kind != .committed }.map { $0.name } }
        return keys
    }

    package func snapshot(_ key: String) async throws -> Containerd_Services_Snapshots_V1_Info {
        let request = Containerd_Services_Snapshots_V1_StatSnapshotRequest.with {
            ($0.snapshotter, $0.key) = (Self.snapshotter, key)
        }
        let answer: Containerd_Services_Snapshots_V1_StatSnapshotResponse = try await call(
            service, "Stat", request, isIdempotent: true)
        return answer.info
    }
}

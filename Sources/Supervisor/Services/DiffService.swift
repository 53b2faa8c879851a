// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import OCISpec
import Snapshots
import SwiftProtobuf
import Threads

/// containerd's diff service: unpacks a layer into what mounts describe, and makes a layer of what differs.
package final class DiffService: Sendable {
    private let images: ImageServices
    private let namespaces: NamespaceService
    private let leases: LeaseService

    package init(images: ImageServices, namespaces: NamespaceService, leases: LeaseService) {
        self.images = images
        self.namespaces = namespaces
        self.leases = leases
    }

    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.diff.v1.Diff"
        table.unary(service, "Apply", apply)
        table.unary(service, "Diff", diff)
    }

    private func apply(
        _ request: Containerd_Services_Diff_V1_ApplyRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Diff_V1_ApplyResponse {
        let namespace = try context.namespace()
        let layer = try Descriptor(message: request.diff)
        let mounts = request.mounts.map { SnapshotMount($0) }
        let applied = try await images.pool.run { [images] in
            try images.applier.apply(namespace, layer: layer, mounts: mounts, syncFileSystem: request.syncFs)
        }
        return .with { $0.applied = applied.message }
    }

    private func diff(
        _ request: Containerd_Services_Diff_V1_DiffRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Diff_V1_DiffResponse {
        let namespace = try context.namespace()
        try namespaces.ensure(namespace)
        let wanted = DiffCreator.Request(
            lower: request.left.map { SnapshotMount($0) }, upper: request.right.map { SnapshotMount($0) },
            mediaType: request.mediaType, ref: request.ref, labels: request.labels)
        // A collection must not come between the blob and the lease or the image that will keep it.
        let made = try await images.gate.transfer(namespace) { [images, leases] in
            let made = try await images.pool.run {
                try images.differ.create(namespace, wanted)
            }
            try leases.note(context, type: "content", id: made.digest.string)
            return made
        }
        return .with { $0.diff = made.message }
    }
}

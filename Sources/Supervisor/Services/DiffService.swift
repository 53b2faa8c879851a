// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import OCISpec
import Snapshots
import SwiftProtobuf
package import Threads

/// containerd's diff service: unpacks a layer into what mounts describe.
package final class DiffService: Sendable {
    private let applier: DiffApplier
    private let pool: BlockingPool

    package init(applier: DiffApplier, pool: BlockingPool) {
        self.applier = applier
        self.pool = pool
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
        let applied = try await pool.run { [applier] in
            try applier.apply(namespace, layer: layer, mounts: mounts, syncFileSystem: request.syncFs)
        }
        return .with { $0.applied = applied.message }
    }

    private func diff(
        _ request: Containerd_Services_Diff_V1_DiffRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Diff_V1_DiffResponse {
        throw ServiceError(.unimplemented, "making a layer from a difference is not implemented")
    }
}

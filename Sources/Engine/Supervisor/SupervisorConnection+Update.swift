// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import SwiftProtobuf

extension SupervisorConnection {
    /// Gives a container the runtime spec that its next task is made from.
    ///
    /// - Parameter spec: the spec as JSON.
    package func setContainerSpec(_ id: String, spec: [UInt8]) async throws {
        let request = Containerd_Services_Containers_V1_UpdateContainerRequest.with {
            $0.container.id = id
            $0.container.spec = .runtimeSpec("Spec", spec)
            $0.updateMask.paths = ["spec"]
        }
        let _: Containerd_Services_Containers_V1_UpdateContainerResponse = try await call(
            "containerd.services.containers.v1.Containers", "Update", request, isIdempotent: true)
    }
}

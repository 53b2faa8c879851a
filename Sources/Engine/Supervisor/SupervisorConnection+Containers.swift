// SPDX-License-Identifier: Apache-2.0
package import ContainerdAPI
import SwiftProtobuf

private let service = "containerd.services.containers.v1.Containers"

/// The supervisor's records of containers: what to run, not whether it runs.
extension SupervisorConnection {
    package func createContainer(_ container: ContainerMessage) async throws -> ContainerMessage {
        let request = Containerd_Services_Containers_V1_CreateContainerRequest.with { $0.container = container }
        let answer: Containerd_Services_Containers_V1_CreateContainerResponse = try await call(
            service, "Create", request)
        return answer.container
    }

    package func container(_ id: String) async throws -> ContainerMessage {
        let request = Containerd_Services_Containers_V1_GetContainerRequest.with { $0.id = id }
        let answer: Containerd_Services_Containers_V1_GetContainerResponse = try await call(
            service, "Get", request, isIdempotent: true)
        return answer.container
    }

    package func containers() async throws -> [ContainerMessage] {
        let answer: Containerd_Services_Containers_V1_ListContainersResponse = try await call(
            service, "List", Containerd_Services_Containers_V1_ListContainersRequest(), isIdempotent: true)
        return answer.containers
    }

    package func deleteContainer(_ id: String) async throws {
        let request = Containerd_Services_Containers_V1_DeleteContainerRequest.with { $0.id = id }
        let _: Google_Protobuf_Empty = try await call(service, "Delete", request)
    }
}

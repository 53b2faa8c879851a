// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import SwiftProtobuf

/// gRPC's health checking protocol, by which containerd's clients wait for the socket to be served. Whoever gets an answer
/// gets a good one: nothing is served before all services are there.
package struct HealthService: Sendable {
    package init() {}

    package func register(on table: inout RPCHandlerTable) {
        table.unary("grpc.health.v1.Health", "Check", check)
        table.serverStream("grpc.health.v1.Health", "Watch", watch)
    }

    private func check(
        _ request: Grpc_Health_V1_HealthCheckRequest, _ context: RPCContext
    ) throws -> Grpc_Health_V1_HealthCheckResponse {
        guard request.service.isEmpty else {
            throw ServiceError(.notFound, "unknown service: only the server as a whole is known, by an empty name")
        }
        return .with { $0.status = .serving }
    }

    /// The status does not change: after the first answer there is nothing to tell until one of the two leaves.
    private func watch(
        _ request: Grpc_Health_V1_HealthCheckRequest, _ context: RPCContext,
        _ send: @escaping @Sendable (Grpc_Health_V1_HealthCheckResponse) async throws -> Void
    ) async throws {
        try await send(.with { $0.status = request.service.isEmpty ? .serving : .serviceUnknown })
        while !Task.isCancelled { try await Task.sleep(for: .seconds(3600)) }
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON

/// `/containers/{name}/checkpoints…`, which a daemon has that is experimental.
struct CheckpointRoutes {
    let containers: ContainerService

    func register(on router: inout Router) {
        router.on(.get, "/containers/{name}/checkpoints", experimental(list))
        router.on(.post, "/containers/{name}/checkpoints", experimental(create))
        router.on(.delete, "/containers/{name}/checkpoints/{checkpoint}", experimental(remove))
    }

    private func experimental(_ handler: @escaping RouteHandler) -> RouteHandler {
        if containers.isExperimental { return handler }
        return { _ in
            throw EngineError.unimplemented(
                "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in "
                    + "order to enable it.")
        }
    }

    @Sendable private func list(_ request: Request) async throws -> Response {
        let names = try containers.checkpoints(request.parameter("name"), in: Self.given(request.query.get("dir")))
        return .json(.ok, .array(names.map { ["Name": .string($0)] }))
    }

    @Sendable private func create(_ request: Request) async throws -> Response {
        let json = try await request.json()
        let body = try decoded { () throws(FieldError) in try CheckpointCreateRequest(json: json) }
        try await containers.createCheckpoint(
            request.parameter("name"), named: body.name, in: Self.given(body.directory), exits: body.exits)
        return .empty(.created)
    }

    @Sendable private func remove(_ request: Request) async throws -> Response {
        try containers.removeCheckpoint(
            request.parameter("name"), named: request.parameter("checkpoint"),
            in: Self.given(request.query.get("dir")))
        return .empty(.noContent)
    }

    /// A directory that is the client's choice; nil for the container's own.
    private static func given(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
}

// SPDX-License-Identifier: Apache-2.0
import Archive
import DockerAPI
import Engine
import HTTPServer
import JSON

/// What a container changed: `/commit`, `/containers/{name}/changes` and `/containers/{name}/export`.
struct ContainerChangeRoutes {
    let containers: ContainerService

    func register(on router: inout Router) {
        router.on(.post, "/commit", commit)
        router.on(.get, "/containers/{name}/changes", changes)
        router.on(.get, "/containers/{name}/export", export)
    }

    @Sendable private func commit(_ request: Request) async throws -> Response {
        let body = try await request.json()
        let reference = try ImageService.newReference(
            repository: request.query.get("repo") ?? "", tag: request.query.get("tag") ?? "")
        var commit = CommitRequest(
            reference: reference, changes: try ImageChanges(request.query.all("changes")),
            config: try decoded { () throws(FieldError) in try ContainerConfig(json: body.isNull ? .object([]) : body) }
        )
        commit.author = request.query.get("author") ?? ""
        commit.comment = request.query.get("comment") ?? ""
        commit.pauses = request.query.bool("pause", default: true)
        let name = request.query.get("container") ?? ""
        let id = try await containers.metrics.timed(.commit) { try await containers.commit(name, commit) }
        return .json(.created, ["Id": .string(id)])
    }

    @Sendable private func changes(_ request: Request) async throws -> Response {
        let name = try request.parameter("name")
        let changes = try await containers.metrics.timed(.changes) { try await containers.changes(name) }
        let list = changes.map { change -> JSONValue in
            let kind: Int64 =
                switch change.kind {
                case .modified: 0
                case .added: 1
                case .deleted: 2
                }
            return ["Path": .string(change.path), "Kind": .int(kind)]
        }
        return .json(.ok, list.isEmpty ? .null : .array(list))
    }

    @Sendable private func export(_ request: Request) async throws -> Response {
        let source = try await containers.exportable(try request.parameter("name"))
        return .stream(.ok, contentType: "application/octet-stream") { body in
            try await body.send { try source.write(to: $0) }
        }
    }
}

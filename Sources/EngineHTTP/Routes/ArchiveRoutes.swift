// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import JSON

/// `/containers/{name}/archive`: what `docker cp` reads and writes.
struct ArchiveRoutes {
    let containers: ContainerService

    func register(on router: inout Router) {
        router.on(.head, "/containers/{name}/archive", status)
        router.on(.get, "/containers/{name}/archive", download)
        router.on(.put, "/containers/{name}/archive", upload)
    }

    @Sendable private func status(_ request: Request) async throws -> Response {
        let found = try await containers.path(try request.parameter("name"), try Self.path(request))
        return .with(headers: Self.headers(found), .empty(.ok))
    }

    @Sendable private func download(_ request: Request) async throws -> Response {
        let name = try request.parameter("name")
        let found = try await containers.path(name, try Self.path(request))
        try containers.didArchive(name)
        let stream = Response.stream(.ok, contentType: "application/x-tar") { body in
            try await body.send { try found.archive(to: $0) }
            await found.release()
        }
        return .with(headers: Self.headers(found), stream)
    }

    @Sendable private func upload(_ request: Request) async throws -> Response {
        let extraction = ExtractionRequest(
            path: try Self.path(request), keepsKinds: request.query.bool("noOverwriteDirNonDir"),
            ownedByUser: request.query.bool("copyUIDGID"))
        try await containers.extract(try request.parameter("name"), extraction, from: request.body)
        return .empty(.ok)
    }

    private static func path(_ request: Request) throws(EngineError) -> String {
        guard let path = request.query.get("path"), !path.isEmpty else {
            throw .invalidArgument("bad parameter: pathcannot be empty")  // docker's text, as it is
        }
        guard !path.utf8.contains(0) else { throw .invalidArgument("bad parameter: path contains a NUL byte") }
        return path
    }

    private static func headers(_ found: ContainerPath) -> [(name: String, value: String)] {
        [("X-Docker-Container-Path-Stat", Base64.encode(found.status.json.bytes()))]
    }
}

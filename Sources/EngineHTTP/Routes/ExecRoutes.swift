// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON

/// `/containers/{name}/exec` and `/exec`.
struct ExecRoutes {
    let execs: ExecService

    func register(on router: inout Router) {
        router.on(.post, "/containers/{name}/exec", create)
        router.on(.post, "/exec/{id}/start", start)
        router.on(.post, "/exec/{id}/resize", resize)
        router.on(.get, "/exec/{id}/json", inspect)
    }

    @Sendable private func create(_ request: Request) async throws -> Response {
        let name = try request.parameter("name")
        let body = try await request.json()
        let config = try decoded { () throws(FieldError) in try ExecConfig(json: body) }
        let id = try execs.create(container: name, config)
        return .json(.created, ["Id": .string(id)])
    }

    @Sendable private func start(_ request: Request) async throws -> Response {
        let id = try request.parameter("id")
        let body = try await request.json()
        try requireObject(body, "container.ExecStartOptions")
        let start = ExecStartRequest(
            tty: body.field("Tty")?.bool ?? false, consoleSize: ConsoleSize(json: body.field("ConsoleSize")))
        if body.field("Detach")?.bool == true {
            try await execs.startDetached(id, start)
            return .empty(.ok)
        }
        let attachment = try execs.startAttached(id, start)
        let type = request.wantsUpgrade ? StreamContentType.output(tty: attachment.tty, request) : StreamContentType.raw
        return .hijack(contentType: type) { stream in try await attachment.serve(stream) }
    }

    @Sendable private func resize(_ request: Request) async throws -> Response {
        let size = try TerminalSize(request)
        try await execs.resize(try request.parameter("id"), width: size.width, height: size.height)
        return .empty(.ok)
    }

    @Sendable private func inspect(_ request: Request) async throws -> Response {
        .json(.ok, try execs.inspect(try request.parameter("id")))
    }
}

// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import JSON

/// start, stop, restart, kill, pause, unpause, wait.
struct ContainerLifecycleRoutes {
    let containers: ContainerService

    func register(on router: inout Router) {
        router.on(.post, "/containers/{name}/start", start)
        router.on(.post, "/containers/{name}/stop", stop)
        router.on(.post, "/containers/{name}/restart", restart)
        router.on(.post, "/containers/{name}/kill", kill)
        router.on(.post, "/containers/{name}/pause", pause)
        router.on(.post, "/containers/{name}/unpause", unpause)
        router.on(.post, "/containers/{name}/wait", wait)
    }

    @Sendable private func start(_ request: Request) async throws -> Response {
        let checkpoint = request.query.get("checkpoint").flatMap { $0.isEmpty ? nil : $0 }
        if checkpoint != nil, !containers.isExperimental {
            throw EngineError.invalidArgument("checkpoint is only supported in experimental mode")
        }
        if request.query.get("checkpoint-dir")?.isEmpty == false {
            throw EngineError(.permissionDenied, "custom checkpointdir is not supported")
        }
        let name = try request.parameter("name")
        try await containers.metrics.timed(.start) { try await containers.start(name, checkpoint: checkpoint) }
        return .empty(.noContent)
    }

    @Sendable private func stop(_ request: Request) async throws -> Response {
        try await containers.stop(
            try request.parameter("name"), signal: request.query.get("signal"), timeout: try request.query.int("t"))
        return .empty(.noContent)
    }

    @Sendable private func restart(_ request: Request) async throws -> Response {
        try await containers.restart(
            try request.parameter("name"), signal: request.query.get("signal"), timeout: try request.query.int("t"))
        return .empty(.noContent)
    }

    @Sendable private func kill(_ request: Request) async throws -> Response {
        let name = try request.parameter("name")
        do { try await containers.kill(name, signal: request.query.get("signal")) } catch let error as EngineError {
            throw EngineError(error.kind, "cannot kill container: \(name): " + error.message)
        }
        return .empty(.noContent)
    }

    @Sendable private func pause(_ request: Request) async throws -> Response {
        try await containers.pause(try request.parameter("name"))
        return .empty(.noContent)
    }

    @Sendable private func unpause(_ request: Request) async throws -> Response {
        try await containers.unpause(try request.parameter("name"))
        return .empty(.noContent)
    }

    /// The head is answered at once, when the wait is registered: clients start the container only then.
    @Sendable private func wait(_ request: Request) async throws -> Response {
        let text = request.query.get("condition") ?? ""
        guard let condition = text.isEmpty ? .notRunning : Container.WaitCondition(rawValue: text) else {
            throw EngineError.invalidArgument("invalid condition: \"\(text)\"")
        }
        let container = try containers.find(try request.parameter("name"))
        let results = container.wait(condition)
        return .stream(.ok, contentType: "application/json") { [containers] body in
            for await result in results {
                await containers.awaitCleanUp(container)
                var json: JSONValue = ["StatusCode": .int(Int64(result.exitCode))]
                if !result.message.isEmpty { json.set("Error", ["Message": .string(result.message)]) }
                try await body.write(json.serialized() + "\n")
                return
            }
        }
    }
}

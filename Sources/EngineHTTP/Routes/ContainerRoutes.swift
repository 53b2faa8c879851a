// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON
import LinuxSystem
import OCISpec

/// `/containers`: making, listing, changing and removing. Running, streams and execs have files of their own.
struct ContainerRoutes {
    let containers: ContainerService

    func register(on router: inout Router) {
        router.on(.get, "/containers/json", list)
        router.on(.post, "/containers/create", create)
        router.on(.post, "/containers/prune", prune)
        router.on(.get, "/containers/{name:.*}/json", inspect)
        router.on(.get, "/containers/{name}/top", top)
        router.on(.post, "/containers/{name}/rename", rename)
        router.on(.post, "/containers/{name}/update", update)
        CheckpointRoutes(containers: containers).register(on: &router)  // before that of all names
        router.on(.delete, "/containers/{name:.*}", remove)
        ContainerLifecycleRoutes(containers: containers).register(on: &router)
        ContainerStreamRoutes(containers: containers).register(on: &router)
        ArchiveRoutes(containers: containers).register(on: &router)
        ContainerChangeRoutes(containers: containers).register(on: &router)
    }

    @Sendable private func list(_ request: Request) async throws -> Response {
        var list = ContainerListRequest()
        list.all = request.query.bool("all")
        list.limit = try request.query.int("limit") ?? 0
        list.size = request.query.bool("size")
        list.filters = try Filters(parsing: request.query.get("filters"))
        return .json(.ok, try await containers.list(list))
    }

    @Sendable private func create(_ request: Request) async throws -> Response {
        let body = try await request.json()
        if body.isNull, !request.body.isAnnounced {
            throw EngineError.invalidArgument("invalid JSON: got EOF while reading request body")
        }
        var create = try decoded { () throws(FieldError) in try ContainerCreateRequest(json: body) }
        try create.adapt(to: request.version, unifiedCgroups: containers.usesUnifiedCgroups)
        let adapted = create
        let name = request.query.get("name").flatMap { $0.isEmpty ? nil : $0 }
        let knowsPlatform = request.version >= APIVersion(1, 41)
        let platform = try request.query.get("platform").flatMap {
            $0.isEmpty || !knowsPlatform ? nil : try Platform(parsing: $0)
        }
        let created = try await containers.metrics.timed(.create) {
            try await containers.create(adapted, name: name, platform: platform)
        }
        return .json(.created, ["Id": .string(created.id), "Warnings": .strings(created.warnings)])
    }

    @Sendable private func inspect(_ request: Request) async throws -> Response {
        .json(
            .ok,
            try await containers.inspect(
                try request.parameter("name"), size: request.query.bool("size"),
                aliasesHaveID: request.version < APIVersion(1, 45)))
    }

    @Sendable private func top(_ request: Request) async throws -> Response {
        let arguments = request.query.get("ps_args") ?? ""
        return .json(.ok, try await containers.top(try request.parameter("name"), arguments: arguments))
    }

    @Sendable private func rename(_ request: Request) async throws -> Response {
        try await containers.rename(try request.parameter("name"), to: request.query.get("name") ?? "")
        return .empty(.noContent)
    }

    @Sendable private func update(_ request: Request) async throws -> Response {
        var body = try await request.json()
        try requireObject(body, "container.UpdateConfig")
        if request.version < APIVersion(1, 40), body.field("PidsLimit") != nil { body.set("PidsLimit", .null) }
        let warnings = try await containers.update(try request.parameter("name"), body)
        return .json(.ok, ["Warnings": warnings.isEmpty ? .null : .strings(warnings)])
    }

    @Sendable private func remove(_ request: Request) async throws -> Response {
        let name = try request.parameter("name")
        if request.query.bool("link") {
            try await containers.removeLink(name)
        } else {
            let (force, volumes) = (request.query.bool("force"), request.query.bool("v"))
            try await containers.metrics.timed(.delete) {
                try await containers.remove(name, force: force, removingVolumes: volumes)
            }
        }
        return .empty(.noContent)
    }

    @Sendable private func prune(_ request: Request) async throws -> Response {
        let filters = try Filters(parsing: request.query.get("filters"))
        let result = try await containers.prune(filters: filters)
        let ids: JSONValue = result.ids.isEmpty ? .null : .strings(result.ids)
        return .json(.ok, ["ContainersDeleted": ids, "SpaceReclaimed": .int(result.bytes)])
    }
}

/// Refuses a body that is no object, in the words of Go's decoder; `type` is the Go type's name.
func requireObject(_ body: JSONValue, _ type: String) throws(EngineError) {
    try decoded { () throws(FieldError) in
        guard body.isNull || body.members != nil else { throw FieldError(body, isNo: type) }
    }
}

/// Runs a decoder of DockerAPI; what does not fit is the client's fault.
func decoded<Value>(_ body: () throws(FieldError) -> Value) throws(EngineError) -> Value {
    do throws(FieldError) { return try body() } catch { throw .invalidArgument("invalid JSON: " + error.message) }
}

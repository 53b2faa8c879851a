// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON
import LinuxSystem

/// `/volumes…`.
struct VolumeRoutes {
    let volumes: VolumeService
    let events: EventHub

    func register(on router: inout Router) {
        router.on(.get, "/volumes", list)
        router.on(.post, "/volumes/create", create)
        router.on(.post, "/volumes/prune", prune)
        router.on(.get, "/volumes/{name:.*}", inspect)
        router.on(.delete, "/volumes/{name:.*}", remove)
        router.on(.put, "/volumes/{name:.*}") { _ in
            throw EngineError(
                .unavailable, "volume update only valid for cluster volumes, but swarm is unavailable")
        }
    }

    @Sendable private func list(_ request: Request) async throws -> Response {
        let filters = try filters(request, allowed: ["dangling", "driver", "label", "label!", "name"])
        let dangling = try mapped { () throws(FilterError) in try filters.bool("dangling") }
        let used = dangling == nil ? [] : try await volumes.used()
        let (found, warnings) = try await volumes.survey { filters.matches("driver", exactly: $0) }
        let shown = found.filter { volume in
            (dangling == nil || dangling != used.contains(volume.record.name))
                && filters.matches("name", within: volume.record.name)
                && filters.matches(labels: volume.record.labels.pairs)
        }
        return .json(
            .ok,
            [
                "Volumes": .array(shown.map { resource($0).json }),
                "Warnings": warnings.isEmpty ? .null : .strings(warnings),
            ])
    }

    @Sendable private func create(_ request: Request) async throws -> Response {
        let json = try await request.json()
        let body = try decoded { () throws(FieldError) in try VolumeCreateRequest(json: json) }
        let volume = try await volumes.create(
            name: body.name, driver: body.driver, labels: body.labels.map { Dictionary(pairs: $0) },
            options: body.options.map { Dictionary(pairs: $0) })
        return .json(.created, resource(await volumes.describe(volume)).json)
    }

    @Sendable private func inspect(_ request: Request) async throws -> Response {
        let volume = try await volumes.inspect(request.parameter("name"))
        var resource = resource(volume)
        resource.status = volume.status
        return .json(.ok, resource.json)
    }

    @Sendable private func remove(_ request: Request) async throws -> Response {
        try await volumes.remove(request.parameter("name"), force: request.query.bool("force"))
        return .empty(.noContent)
    }

    @Sendable private func prune(_ request: Request) async throws -> Response {
        let filters = try filters(request, allowed: ["all", "label", "label!"])
        // Before API 1.42 prune removed named volumes too.
        let asked = try mapped { () throws(FilterError) in try filters.bool("all") }
        let all = asked ?? (request.version < APIVersion(1, 42))
        let (names, bytes) = try await volumes.prune(all: all) { filters.matches(labels: $0.labels.pairs) }
        events.publish(type: .volume, action: "prune", id: "", attributes: [("reclaimed", String(bytes))])
        return .json(.ok, ["VolumesDeleted": .strings(names), "SpaceReclaimed": .int(bytes)])
    }

    func resource(_ volume: VolumeDescription) -> VolumeResource {
        var resource = VolumeResource(
            name: volume.record.name, created: volume.created, mountpoint: volume.mountpoint)
        (resource.driver, resource.scope) = (volume.record.driver, volume.scope)
        resource.labels = volume.record.labels.map { $0.map { ($0.key, $0.value) } }
        resource.options = volume.record.options.map { $0.map { ($0.key, $0.value) } }
        return resource
    }
}

/// The request's `filters`, as far as the request knows them; docker's error otherwise.
func filters(_ request: Request, allowed: [String]) throws(EngineError) -> Filters {
    try mapped { () throws(FilterError) in
        let filters = try Filters(parsing: request.query.get("filters"))
        try filters.allow(only: allowed)
        return filters
    }
}

/// A refused filter is the client's mistake.
private func mapped<R>(_ body: () throws(FilterError) -> R) throws(EngineError) -> R {
    do throws(FilterError) { return try body() } catch { throw .invalidArgument(error.message) }
}

extension Dictionary where Key == String, Value == String {
    /// Of equal keys the last one counts, as in Go.
    init(pairs: [(key: String, value: String)]) {
        self.init(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}

extension [String: String]? {
    fileprivate var pairs: [(key: String, value: String)] { (self ?? [:]).map { ($0.key, $0.value) } }
}

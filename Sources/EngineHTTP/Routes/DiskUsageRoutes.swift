// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON

/// `/system/df`: what takes how much room; and what there is to gain in the build cache: nothing.
struct DiskUsageRoutes {
    let engine: Engine

    func register(on router: inout Router) {
        router.on(.get, "/system/df", usage)
        router.on(.post, "/build/prune") { _ in .json(.ok, ["CachesDeleted": .null, "SpaceReclaimed": 0]) }
    }

    /// `type` asks for parts of it; without, everything.
    @Sendable private func usage(_ request: Request) async throws -> Response {
        let types = request.query.all("type")
        let known = ["container", "image", "volume", "build-cache"]
        if let unknown = types.first(where: { !known.contains($0) }) {
            throw EngineError.invalidArgument("unknown object type: \(unknown)")
        }
        func wants(_ type: String) -> Bool { types.isEmpty || types.contains(type) }
        var answer: JSONValue = [:]
        if wants("image") {
            let usage = try await engine.images.usage(legacy: request.version < APIVersion(1, 44))
            answer.set("LayersSize", .int(usage.layers))
            answer.set("Images", .array(usage.images))
        }
        if wants("container") {
            var list = ContainerListRequest()
            (list.all, list.size) = (true, true)
            answer.set("Containers", try await engine.containers.list(list))
        }
        if wants("volume") { answer.set("Volumes", .array(try await volumes())) }
        if wants("build-cache") { answer.set("BuildCache", []) }
        return .json(.ok, answer)
    }

    private func volumes() async throws -> [JSONValue] {
        let counts = try await engine.volumes.useCounts()
        let routes = VolumeRoutes(volumes: engine.volumes, events: engine.events)
        var volumes: [JSONValue] = []
        // As docker has it: only what takes space here.
        for volume in try await engine.volumes.list() where volume.isLocal && volume.options == nil {
            var resource = routes.resource(await engine.volumes.describe(volume))
            resource.usage = (await engine.volumes.size(volume.name), counts[volume.name] ?? 0)
            volumes.append(resource.json)
        }
        return volumes
    }
}

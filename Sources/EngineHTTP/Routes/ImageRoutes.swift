// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON
import OCISpec

/// `/images…`, without pull and load, which stream (ImageTransferRoutes).
struct ImageRoutes {
    let images: ImageService

    func register(on router: inout Router) {
        router.on(.get, "/images/json", list)
        router.on(.post, "/images/prune", prune)
        router.on(.get, "/images/{name:.*}/json", inspect)
        router.on(.get, "/images/{name:.*}/history", history)
        router.on(.post, "/images/{name:.*}/tag", tag)
        router.on(.delete, "/images/{name:.*}", remove)
    }

    @Sendable private func list(_ request: Request) async throws -> Response {
        let filters = try Filters(parsing: request.query.get("filters"))
        let found = try await images.list(filters: filters, all: request.query.bool("all"))
        let legacy = request.version < APIVersion(1, 44)
        // `images --tree` marks what is in use; nobody else asks for `manifests`.
        guard request.query.bool("manifests") else {
            return .json(.ok, .array(found.map { $0.summary(containers: -1, legacy: legacy) }))
        }
        var summaries: [JSONValue] = []
        for image in found {
            summaries.append(image.summary(containers: await images.users(of: image.id).count, legacy: legacy))
        }
        return .json(.ok, .array(summaries))
    }

    @Sendable private func inspect(_ request: Request) async throws -> Response {
        let platform = try request.query.platforms("platform").first
        let image = try await images.inspect(request.parameter("name"), platform: platform)
        // Compose 1 takes the server's version for its own, and cannot do without what that no longer has.
        let isOld = request.version < APIVersion(1, 45)
        let isCompose1 = (request.headers["User-Agent"] ?? "").hasPrefix("docker-compose/1.")
        return .json(
            .ok,
            image.inspection(legacy: request.version < APIVersion(1, 44), hasContainer: isOld || isCompose1))
    }

    @Sendable private func history(_ request: Request) async throws -> Response {
        let platform = try request.query.platforms("platform").first
        return .json(.ok, try await images.history(request.parameter("name"), platform: platform))
    }

    @Sendable private func tag(_ request: Request) async throws -> Response {
        try await images.tag(
            request.parameter("name"), repository: request.query.get("repo") ?? "",
            tag: request.query.get("tag") ?? "")
        return .empty(.created)
    }

    @Sendable private func remove(_ request: Request) async throws -> Response {
        let name = try request.parameter("name")
        if name.allSatisfy(\.isWhitespace) { throw EngineError.invalidArgument("image name cannot be blank") }
        let removals = try await images.remove(
            name, platforms: request.query.platforms("platforms"),
            force: request.query.bool("force"), prunesParents: !request.query.bool("noprune"))
        return .json(.ok, .array(removals.map(\.json)))
    }

    @Sendable private func prune(_ request: Request) async throws -> Response {
        let filters = try Filters(parsing: request.query.get("filters"))
        let (removed, reclaimed) = try await images.prune(filters: filters)
        let lines: JSONValue = removed.isEmpty ? .null : .array(removed.map(\.json))
        return .json(.ok, ["ImagesDeleted": lines, "SpaceReclaimed": .int(reclaimed)])
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import JSON
import OCISpec

/// `/auth`, `/images/search` and `/distribution/…`: what a registry is asked without moving an image.
struct RegistryRoutes {
    let registries: RegistryService

    func register(on router: inout Router) {
        router.on(.post, "/auth", login)
        router.on(.get, "/images/search", search)
        router.on(.get, "/distribution/{name:.*}/json") { try await distribution($0, isRaw: false) }
        // Ours alone: docker's client asks registries itself.
        router.on(.get, "/distribution/{name:.*}/manifest") { try await distribution($0, isRaw: true) }
    }

    @Sendable private func login(_ request: Request) async throws -> Response {
        let body = try await request.json()
        let token = try await registries.login(
            body["serveraddress"]?.string ?? "", RegistryAuth.credentials(of: body))
        return .json(.ok, ["IdentityToken": .string(token), "Status": "Login Succeeded"])
    }

    @Sendable private func search(_ request: Request) async throws -> Response {
        let results = try await registries.search(
            request.query.get("term") ?? "", limit: try request.query.int("limit"),
            filter: SearchFilter(Filters(parsing: request.query.get("filters"))),
            credentials: try RegistryAuth.credentials(request.headers["X-Registry-Auth"]))
        return .json(.ok, results)
    }

    private func distribution(_ request: Request, isRaw: Bool) async throws -> Response {
        let name = try request.parameter("name")
        let reference: ImageReference
        do throws(ImageSpecError) { reference = try ImageReference(name) } catch {
            throw EngineError.invalidArgument(error.message)
        }
        let credentials = try RegistryAuth.credentials(request.headers["X-Registry-Auth"])
        return .json(.ok, try await registries.distribution(reference, credentials: credentials, isRaw: isRaw))
    }
}

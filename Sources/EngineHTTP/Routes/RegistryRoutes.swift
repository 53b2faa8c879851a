// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
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
        router.on(.put, "/distribution/{name:.*}/manifest", store)
    }

    @Sendable private func login(_ request: Request) async throws -> Response {
        let json = try await request.json()
        let body = try decoded { () throws(FieldError) in try RegistryAuth.fields.normalize(json) }
        let token: String
        do {
            token = try await registries.login(
                body["serveraddress"]?.string ?? "", RegistryAuth.credentials(of: body))
        } catch let error as EngineError where error.kind == .unavailable {
            throw EngineError.internal(error.message)  // docker's 500: it is the registry that does not answer, not we
        }
        return .json(.ok, ["IdentityToken": .string(token), "Status": "Login Succeeded"])
    }

    @Sendable private func search(_ request: Request) async throws -> Response {
        let results = try await registries.search(
            request.query.get("term") ?? "", limit: try request.query.int("limit"),
            filter: SearchFilter(Filters(parsing: request.query.get("filters"))),
            credentials: RegistryAuth.credentials(request.headers["X-Registry-Auth"]))
        return .json(.ok, results)
    }

    private func distribution(_ request: Request, isRaw: Bool) async throws -> Response {
        let reference = try Self.reference(request)
        let credentials = RegistryAuth.credentials(request.headers["X-Registry-Auth"])
        return .json(.ok, try await registries.distribution(reference, credentials: credentials, isRaw: isRaw))
    }

    /// The body is the manifest, `Content-Type` its media type, `from` the repository with its blobs.
    @Sendable private func store(_ request: Request) async throws -> Response {
        let reference = try Self.reference(request)
        let credentials = RegistryAuth.credentials(request.headers["X-Registry-Auth"])
        let digest = try await registries.store(
            try await request.body.collect(upTo: ImageDocument.maximumBytes),
            mediaType: request.headers["Content-Type"] ?? "", as: reference, blobsFrom: request.query.get("from"),
            credentials: credentials)
        return .json(.created, ["Digest": .string(digest.string)])
    }

    private static func reference(_ request: Request) throws -> ImageReference {
        let name = try request.parameter("name")
        do throws(ImageSpecError) { return try ImageReference(name) } catch {
            throw EngineError.invalidArgument(error.message)
        }
    }
}

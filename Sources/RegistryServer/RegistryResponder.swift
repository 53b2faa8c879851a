// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import JSON
import LinuxSystem
import Logging

/// From the head of a request to a response: who asks, which route, what may be done, and what an error becomes.
struct RegistryResponder: Responder {
    private let options: RegistryOptions
    private let logger: Logger
    private let router: PathRouter<RegistryRequest.Handler>

    init(_ store: RegistryStore, _ uploads: Uploads, _ options: RegistryOptions, _ logger: Logger) {
        self.options = options
        self.logger = logger
        var router = PathRouter<RegistryRequest.Handler>()
        UploadRoutes(store: store, uploads: uploads).register(on: &router)  // before blobs, whose pattern fits, too
        BlobRoutes(store: store).register(on: &router)
        ManifestRoutes(store: store).register(on: &router)
        ListRoutes(store: store).register(on: &router)
        self.router = router
    }

    let commonHeaders: [(name: String, value: String)] = [
        ("Docker-Distribution-Api-Version", "registry/2.0"),
        ("X-Content-Type-Options", "nosniff"),
        ("Server", "swrun-registry/\(LinuxSystem.Version.number)"),
    ]

    func respond(to head: RequestHead, body: RequestBody) async -> Response {
        let started = monotonicNanoseconds()
        let response = await answer(head, body)
        logger.info(
            "request",
            metadata: [
                "op": "\(head.method) \(head.path)", "status": "\(response.status.code)",
                "duration_ms": "\(Double((monotonicNanoseconds() - started) / 10_000) / 100)",
            ])
        return response
    }

    private func answer(_ head: RequestHead, _ body: RequestBody) async -> Response {
        do {
            if let users = options.users { try await authenticate(head, by: users) }
            let (handler, parameters) = try route(head)
            return try await handler(
                RegistryRequest(head: head, query: Query(String(head.query)), body: body, parameters: parameters))
        } catch let error as APIError {
            return error.response
        } catch let error as RequestError {
            return APIError(.unknown, .string(error.reason), status: error.status).response.adding(
                "Connection", "close")
        } catch is CancellationError {
            return APIError(.unknown, "the registry is stopping", status: .serviceUnavailable).response
        } catch {
            logger.error("request failed", metadata: ["op": "\(head.method) \(head.path)", "error": "\(error)"])
            return failure(error).response
        }
    }

    /// What a client may know of a failure of ours; the log knows the rest.
    private func failure(_ error: any Error) -> APIError {
        if let error = error as? SysError, error.errno == .noSpace {
            return APIError(.unknown, "the registry's disk is full", status: .insufficientStorage)
        }
        return APIError(.unknown, "see the registry's log")
    }

    private func authenticate(_ head: RequestHead, by users: Htpasswd) async throws {
        guard await users.accept(authorization: head.headers["Authorization"]) else {
            throw APIError(
                .unauthorized, headers: [("WWW-Authenticate", "Basic realm=\"swrun-registry\", charset=\"UTF-8\"")])
        }
    }

    private func route(
        _ head: RequestHead
    ) throws(APIError) -> (handler: RegistryRequest.Handler, parameters: [(name: String, value: String)]) {
        var path = percentDecoded(head.path)
        if path.hasSuffix("/") { path.removeLast() }
        let method = HTTPMethod(rawValue: head.method == "HEAD" ? "GET" : head.method)
        guard let method, let match = router.match(method, path) else {
            let known = HTTPMethod.allCases.contains { router.match($0, path) != nil }
            throw APIError(.unsupported, .string(head.method), status: known ? .methodNotAllowed : .notFound)
        }
        try checkAllowed(method, path)
        return match
    }

    /// Giving up an upload deletes nothing that was there.
    private func checkAllowed(_ method: HTTPMethod, _ path: String) throws(APIError) {
        if options.isReadOnly, method != .get { throw APIError(.unsupported, "the registry is read-only") }
        if method == .delete, !options.allowsDelete, !path.contains("/blobs/uploads/") {
            throw APIError(.unsupported, "the registry deletes nothing (--delete)")
        }
    }
}

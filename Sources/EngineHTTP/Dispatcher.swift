// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import LinuxSystem
import Logging

/// From the head of a request to a response: finds the route, checks the version, runs the handler, maps its errors.
struct Dispatcher: Responder {
    let router: Router
    let logger: Logger
    var authorization: AuthorizationPlugins?
    var labels: SocketPolicy.LabelLookup = { _ in nil }
    private(set) var policy = SocketPolicy.full

    init(
        router: Router, logger: Logger, authorization: AuthorizationPlugins? = nil, isExperimental: Bool = false,
        labels: @escaping SocketPolicy.LabelLookup = { _ in nil }
    ) {
        self.router = router
        self.logger = logger
        self.authorization = authorization
        self.labels = labels
        commonHeaders = [
            ("Api-Version", APIVersion.newest.description),
            ("Docker-Experimental", isExperimental ? "true" : "false"),
            ("Ostype", "linux"),
            ("Server", "Swrun/\(LinuxSystem.Version.number) (linux)"),
        ]
    }

    /// The same for a socket with a policy of its own.
    func under(_ policy: SocketPolicy) -> Dispatcher {
        var copy = self
        copy.policy = policy
        return copy
    }

    /// The fields that docker puts into every response.
    let commonHeaders: [(name: String, value: String)]

    func respond(to head: RequestHead, body: RequestBody) async -> Response {
        let started = monotonicNanoseconds()
        let response = await route(head, body)
        logger.debug(
            "request",
            metadata: [
                "op": "\(head.method) \(head.path)",
                "duration_ms": "\(Double((monotonicNanoseconds() - started) / 10_000) / 100)",
            ])
        return response
    }

    private func route(_ head: RequestHead, _ body: RequestBody) async -> Response {
        if let clean = Self.cleaned(head) {
            return .with(headers: [("Location", clean)], .empty(.movedPermanently))
        }
        if head.method == "OPTIONS" { return .empty(.ok) }  // as docker, whatever the path
        let (version, path) = Self.splitVersion(percentDecoded(head.path))
        guard let method = HTTPMethod(rawValue: head.method), let match = router.match(method, path) else {
            return .message(.notFound, "page not found")
        }
        do {
            let version = version ?? .newest
            try version.checkSupported()
            var request = Request(
                method: method, path: path, version: version, query: Query(String(head.query)), headers: head.headers,
                body: body, wantsUpgrade: head.wantsUpgrade, parameters: match.parameters)
            try policy.check(&request, labels: labels)
            guard let authorization, authorization.isActive else { return try await match.handler(request) }
            return try await authorized(&request, head, by: authorization, match.handler)
        } catch let error as RequestError {
            return .message(error.status, error.reason).adding("Connection", "close")
        } catch {
            let error = EngineError(error)
            if error.kind == .internal {
                logger.error("request failed", metadata: ["op": "\(head.method) \(path)", "error": "\(error)"])
            }
            return error.response
        }
    }

    /// Asks the plugins before the request and before its answer; without their leave neither happens.
    private func authorized(
        _ request: inout Request, _ head: RequestHead, by plugins: AuthorizationPlugins, _ handler: RouteHandler
    ) async throws -> Response {
        var question = AuthorizationPlugins.Question(method: head.method, uri: head.target)
        question.user = head.peerName
        question.headers = head.headers.fields.map { ($0.name, $0.value) }
        if request.path != "/auth", (head.headers["Content-Type"] ?? "").hasPrefix("application/json") {
            let bytes = try await request.body.collect(upTo: 8 << 20)
            request.body = RequestBody(bytes, isAnnounced: request.body.isAnnounced)
            question.body = bytes
        }
        try await plugins.allowRequest(question)
        let response: Response
        do { response = try await handler(request) } catch { response = EngineError(error).response }
        let (status, headers, body) = response.outline
        try await plugins.allowResponse(question, status: status, headers: headers, body: body)
        return response
    }

    /// Where a path leads that has empty segments, `.` or `..`, as Go's router redirects it; nil if it has none.
    static func cleaned(_ head: RequestHead) -> String? {
        let path = String(head.path)
        guard path.hasPrefix("/"), path.contains("//") || path.contains("/.") else { return nil }
        var kept: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == ".." { _ = kept.popLast() } else { kept.append(segment) }
        }
        let clean = "/" + kept.joined(separator: "/") + (path.hasSuffix("/") && !kept.isEmpty ? "/" : "")
        if clean == path { return nil }
        return clean + (head.query.isEmpty ? "" : "?" + head.query)
    }

    /// `/v1.41/containers/json` to 1.41 and `/containers/json`; what is no version stays in the path.
    static func splitVersion(_ path: String) -> (version: APIVersion?, path: String) {
        guard path.hasPrefix("/v"), let slash = path.dropFirst().firstIndex(of: "/"),
            let version = APIVersion(path[path.index(path.startIndex, offsetBy: 2)..<slash])
        else { return (nil, path) }
        return (version, String(path[slash...]))
    }
}

// SPDX-License-Identifier: Apache-2.0
import Engine
import LinuxSystem
import Logging

/// From the head of a request to a response: finds the route, checks the version, runs the handler, maps its errors.
struct Dispatcher: Sendable {
    let router: Router
    let logger: Logger

    /// The fields that docker puts into every response.
    let commonHeaders: [(name: String, value: String)] = [
        ("Api-Version", APIVersion.newest.description),
        ("Docker-Experimental", "false"),
        ("Ostype", "linux"),
        ("Server", "Swrun/\(LinuxSystem.Version.number) (linux)"),
    ]

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
        let (version, path) = Self.splitVersion(percentDecoded(head.path))
        guard let method = Method(rawValue: head.method), let match = router.match(method, path) else {
            return .message(.notFound, "page not found")
        }
        do {
            let version = version ?? .newest
            try version.checkSupported()
            return try await match.handler(
                Request(
                    method: method, path: path, version: version, query: Query(String(head.query)),
                    headers: head.headers, body: body, wantsUpgrade: head.wantsUpgrade,
                    parameters: match.parameters))
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

    /// `/v1.41/containers/json` to 1.41 and `/containers/json`; what is no version stays in the path.
    static func splitVersion(_ path: String) -> (version: APIVersion?, path: String) {
        guard path.hasPrefix("/v"), let slash = path.dropFirst().firstIndex(of: "/"),
            let version = APIVersion(path[path.index(path.startIndex, offsetBy: 2)..<slash])
        else { return (nil, path) }
        return (version, String(path[slash...]))
    }
}

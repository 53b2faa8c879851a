// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import OCISpec

/// One transfer's connection to one repository.
package struct RegistrySession: Sendable {
    package let reference: ImageReference
    let endpoints: [RegistryEndpoint]
    let transport: RegistryTransport
    let authorizer: RegistryAuthorizer
    /// The most that one request of an upload carries.
    let chunkBytes: Int64
    /// How often the download of a blob is tried.
    package var attempts = RetryPolicy.attempts

    /// Sends a request for something in the repository to the endpoints in turn, until one has it; one that is too busy
    /// is asked again.
    func request(
        _ method: HTTPMethod, _ path: String, headers: [(String, String)] = [], body: RequestBody? = nil
    ) async throws -> HTTPClientResponse {
        var policy = RetryPolicy()
        while true {
            do { return try await requestOnce(method, path, headers: headers, body: body) } catch {
                try Task.checkCancellation()
                // Nobody there is known at once; what a busy registry says may change.
                guard (error as? RegistryError)?.isUnreachable == false, let pause = policy.pause(after: error) else {
                    throw error
                }
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Sends a request to the endpoints in turn, each once.
    func requestOnce(
        _ method: HTTPMethod, _ path: String, headers: [(String, String)] = [], body: RequestBody? = nil
    ) async throws -> HTTPClientResponse {
        var failure: (any Error)?
        for endpoint in await usableEndpoints() {
            do {
                let url = endpoint.url(reference.path + "/" + path)
                return try await authorized(method, url, headers, body, endpoint)
            } catch {
                try Task.checkCancellation()
                // What an https answer says counts more than that nobody speaks http there.
                if failure == nil || (failure as? RegistryError)?.isUnreachable ?? false { failure = error }
                let mayGoOn = endpoint.isMirror || (error as? RegistryError)?.isUnreachable ?? false
                guard mayGoOn else { throw error }
            }
        }
        throw failure ?? RegistryError.invalidResponse("no endpoint for \(reference.domain)")
    }

    /// Once the registry has answered over https, http is no longer tried, and the other way round.
    private func usableEndpoints() async -> [RegistryEndpoint] {
        guard let answering = await authorizer.answering else { return endpoints }
        return endpoints.filter { $0.isMirror || $0 == answering }
    }

    /// Sends a request to one endpoint, answering its challenges.
    func authorized(
        _ method: HTTPMethod, _ url: String, _ headers: [(String, String)], _ body: RequestBody?,
        _ endpoint: RegistryEndpoint
    ) async throws -> HTTPClientResponse {
        var refusal = RegistryError.refusal(status: 401, body: [])
        for _ in 0..<3 {
            var all = headers
            let authorization = await authorizer.header(for: endpoint)
            if let authorization { all.append(("Authorization", authorization)) }
            let response = try await send(method, url, all, body, endpoint)
            await authorizer.answered(endpoint)
            guard response.status == .unauthorized else { return try await checked(response) }
            let challenges = response.headers["WWW-Authenticate"].flatMap { AuthChallenge.parse($0) }
            refusal = await Self.refusal(response, challenges)
            guard try await authorizer.answer(challenges, from: endpoint, sent: authorization) else {
                guard await authorizer.lacksPassword(for: challenges) else { throw refusal }
                throw RegistryError.noCredentials(operation: TransportFailure.operation(method, url))
            }
        }
        throw refusal
    }

    /// A registry that does not answer at all is reported with its root, as docker does, whose first request goes
    /// there.
    private func send(
        _ method: HTTPMethod, _ url: String, _ headers: [(String, String)], _ body: RequestBody?,
        _ endpoint: RegistryEndpoint
    ) async throws -> HTTPClientResponse {
        do {
            return try await transport.send(
                method, url, headers: headers, body: body, trusted: endpoint.base, security: endpoint.security)
        } catch RegistryError.unreachable(_, let reason) {
            throw RegistryError.unreachable(operation: "Get \"\(endpoint.url(""))\"", reason: reason)
        }
    }

    /// The answer, unless it is a refusal, which is thrown.
    func checked(_ response: HTTPClientResponse) async throws -> HTTPClientResponse {
        if (200..<300).contains(response.status.code) { return response }
        throw await Self.refusal(response, [])
    }

    private static func refusal(_ response: HTTPClientResponse, _ challenges: [AuthChallenge]) async -> RegistryError {
        let body = (try? await response.body.collect(upTo: 1 << 16)).map { [UInt8](buffer: $0) } ?? []
        if challenges.contains(where: { $0.parameters["error"] == "insufficient_scope" }) {
            return .refused(status: 403, code: "DENIED", message: "requested access to the resource is denied")
        }
        return RegistryError.refusal(
            status: Int(response.status.code), body: body,
            retryAfter: ResponseHeader.retryAfter(response.headers.first(name: "Retry-After")))
    }
}

extension RegistryError {
    var isUnreachable: Bool {
        guard case .unreachable = self else { return false }
        return true
    }
}

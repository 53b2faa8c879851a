// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension RegistryClient {
    /// Tries a user's credentials at the root of a registry's API, as `docker login` does.
    ///
    /// - Returns: an identity token that the registry gives in place of the password; empty if it gives none.
    package func login(_ domain: String, credentials: RegistryCredentials) async throws -> String {
        var failure: (any Error)?
        for endpoint in try configuration.endpoints(for: domain) where !endpoint.isMirror {
            do { return try await login(endpoint, credentials) } catch {
                try Task.checkCancellation()
                let isUnreachable = (error as? RegistryError)?.isUnreachable ?? false
                failure = error
                guard isUnreachable else { throw error }
            }
        }
        throw failure ?? RegistryError.invalidResponse("no endpoint for \(domain)")
    }

    private func login(_ endpoint: RegistryEndpoint, _ credentials: RegistryCredentials) async throws -> String {
        let authorizer = RegistryAuthorizer(transport, tokens, credentials, scopes: [])
        let url = endpoint.url("")
        for attempt in 0..<2 {
            let sent = await authorizer.header(for: endpoint)
            let response = try await transport.send(
                .GET, url, headers: sent.map { [("Authorization", $0)] } ?? [], security: endpoint.security)
            if response.status == .ok { return await authorizer.refreshToken }
            let challenges = response.headers["WWW-Authenticate"].flatMap { AuthChallenge.parse($0) }
            guard attempt == 0, response.status == .unauthorized,
                try await authorizer.answer(challenges, from: endpoint, sent: sent, isLogin: true)
            else {
                throw RegistryError.loginRefused(
                    url: url, status: "\(response.status.code) \(response.status.reasonPhrase)")
            }
        }
        throw RegistryError.loginRefused(url: url, status: "401 Unauthorized")
    }

    /// `GET /v1/search` of the Hub (`docker.io`) or of another registry that has it.
    ///
    /// - Returns: the answer's JSON, at most 4 MiB.
    package func search(
        _ domain: String, term: String, limit: Int, credentials: RegistryCredentials?
    ) async throws -> [UInt8] {
        var failure: (any Error)?
        for endpoint in try configuration.searchEndpoints(for: domain) {
            let url =
                endpoint.base + "/v1/search?q=" + RemoteURL.queryEncoded(term) + "&n=\(limit)"
            // What is no password cannot be told with Basic.
            let known = credentials.flatMap { $0.identityToken.isEmpty ? $0.basicHeader : nil }
            do {
                let response = try await transport.send(
                    .GET, url, headers: known.map { [("Authorization", $0)] } ?? [], security: endpoint.security)
                guard response.status == .ok else {
                    throw RegistryError.invalidResponse("Unexpected status code \(response.status.code)")
                }
                return try await response.bytes(upTo: 4 << 20, of: url)
            } catch {
                try Task.checkCancellation()
                failure = failure ?? error
                guard (error as? RegistryError)?.isUnreachable ?? false else { throw error }
            }
        }
        throw failure ?? RegistryError.invalidResponse("no endpoint for \(domain)")
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Answers a registry's challenges for one session. Basic credentials go to the registry that they were given for, and
/// to the token server that this registry names, never elsewhere; a token is sent to the endpoint that asked for it.
actor RegistryAuthorizer {
    private let transport: RegistryTransport
    private let tokens: TokenCache
    private let credentials: RegistryCredentials?
    /// What every token of this session has to allow, beside what a challenge names.
    private let scopes: [String]
    /// The `Authorization` header by endpoint.
    private var headers: [RegistryEndpoint: String] = [:]
    /// Questions to a token server that are on their way: several requests are refused at the same time.
    private var pending: [RegistryEndpoint: Task<String, any Error>] = [:]
    /// The endpoint that answers for the registry itself; others of it are no longer tried.
    private(set) var answering: RegistryEndpoint?
    /// The refresh token of the last answer; empty if there was none.
    private(set) var refreshToken = ""

    init(
        _ transport: RegistryTransport, _ tokens: TokenCache, _ credentials: RegistryCredentials?, scopes: [String]
    ) {
        self.transport = transport
        self.tokens = tokens
        self.credentials = credentials
        self.scopes = scopes
    }

    /// Remembers which of https and http it is that the registry speaks.
    func answered(_ endpoint: RegistryEndpoint) {
        if !endpoint.isMirror { answering = endpoint }
    }

    /// What to send to an endpoint, as far as it is known.
    func header(for endpoint: RegistryEndpoint) -> String? { headers[endpoint] }

    /// Whether the registry wants nothing but a password and there is none.
    func lacksPassword(for challenges: [AuthChallenge]) -> Bool {
        credentials == nil && !challenges.isEmpty && challenges.allSatisfy { $0.scheme == "basic" }
    }

    /// Learns from a 401 answer to a request that had the header `sent`; false if there is nothing more to try.
    func answer(
        _ challenges: [AuthChallenge], from endpoint: RegistryEndpoint, sent: String?, isLogin: Bool = false
    ) async throws -> Bool {
        if headers[endpoint] != sent { return true }  // another request has learned meanwhile
        let credentials = endpoint.isMirror ? nil : credentials
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            let running = pending[endpoint]
            // Lives as long as the question; who asks together waits together.
            let task =
                running ?? Task { try await token(bearer, endpoint, credentials, sent: sent, isLogin: isLogin) }
            pending[endpoint] = task
            let result = await withTaskCancellationHandler {
                await task.result
            } onCancel: {
                if running == nil { task.cancel() }
            }
            pending[endpoint] = nil
            headers[endpoint] = "Bearer " + (try result.get())
        } else if challenges.contains(where: { $0.scheme == "basic" }), let credentials {
            headers[endpoint] = credentials.basicHeader
        }
        return headers[endpoint] != sent
    }

    private func token(
        _ challenge: AuthChallenge, _ endpoint: RegistryEndpoint, _ credentials: RegistryCredentials?, sent: String?,
        isLogin: Bool
    ) async throws -> String {
        let realm = try Self.realm(challenge, endpoint, hasSecrets: credentials != nil)
        let wanted = (challenge.parameters["scope"] ?? "").split(separator: " ").map { String($0) }
        var request = TokenRequest(
            realm: realm, service: challenge.parameters["service"] ?? "",
            scopes: wanted + scopes.filter { !wanted.contains($0) }, credentials: credentials)
        request.isLogin = isLogin
        let key = TokenCache.Key(
            endpoint: endpoint, realm: realm.string, service: request.service, scopes: request.scopes,
            credentials: credentials)
        if !isLogin, let known = tokens.token(key, except: sent) { return known }
        let question = request
        let answer = try await RetryPolicy.run { try await question.send(transport, security: endpoint.security) }
        refreshToken = answer.refreshToken
        if !isLogin { tokens.keep(answer.token, for: key, lifetimeSeconds: answer.lifetimeSeconds) }
        return answer.token
    }

    /// A token server without TLS is for registries without TLS; secrets are not sent in the clear to a host that a
    /// registry picked.
    private static func realm(
        _ challenge: AuthChallenge, _ endpoint: RegistryEndpoint, hasSecrets: Bool
    ) throws(RegistryError) -> RemoteURL {
        guard let text = challenge.parameters["realm"], let realm = RemoteURL(text) else {
            throw .invalidResponse("registry names no valid token realm")
        }
        guard realm.scheme == "https" || endpoint.scheme == "http" || (endpoint.isInsecure && !hasSecrets) else {
            throw .invalidResponse("registry names a token realm without TLS: \(text)")
        }
        return realm
    }
}

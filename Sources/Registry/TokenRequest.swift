// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import JSON
import NIOCore
import NIOHTTP1

/// What a token server answered (distribution's token specification).
struct TokenAnswer: Sendable, Equatable {
    var token: String
    /// 60 if the server does not say.
    var lifetimeSeconds: Int64
    /// A long-lived token that may replace the password; empty if there is none.
    var refreshToken: String

    init(parsing body: [UInt8]) throws(RegistryError) {
        let json = try? JSONValue(parsing: body, maximumDepth: 32)
        guard let token = json?["token"]?.string ?? json?["access_token"]?.string, !token.isEmpty,
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw .invalidResponse("authorization server did not include a token in the response") }
        self.token = token
        lifetimeSeconds = json?["expires_in"]?.int ?? 60
        refreshToken = json?["refresh_token"]?.string ?? ""
    }
}

/// One question to a token server: with GET and Basic credentials, or with an identity token as OAuth 2 has it
/// (RFC 6749 §6).
struct TokenRequest: Sendable {
    var realm: RemoteURL
    var service: String
    var scopes: [String]
    var credentials: RegistryCredentials?
    /// Asks for a refresh token, too.
    var isLogin = false

    private static let clientID = "swrun"

    func send(_ transport: RegistryTransport, security: EndpointSecurity) async throws -> TokenAnswer {
        let response: HTTPClientResponse
        if let token = credentials?.identityToken, !token.isEmpty {
            let form = [
                ("grant_type", "refresh_token"), ("service", service), ("client_id", Self.clientID),
                ("scope", scopes.joined(separator: " ")), ("refresh_token", token),
            ]
            let body = RequestBody(Array(Self.encoded(form).utf8), type: "application/x-www-form-urlencoded")
            response = try await transport.send(.POST, realm.string, headers: [], body: body, security: security)
        } else {
            response = try await transport.send(.GET, url, headers: authorization, security: security)
        }
        let body = try await response.bytes(upTo: 1 << 20, of: realm.string)
        guard response.status == .ok else {
            throw RegistryError.refusal(
                status: Int(response.status.code), body: body,
                retryAfter: ResponseHeader.retryAfter(response.headers.first(name: "Retry-After")))
        }
        return try TokenAnswer(parsing: body)
    }

    /// The URL of the GET; the realm may have a query already.
    var url: String {
        var query = service.isEmpty ? [] : [("service", service)]
        for scope in scopes { query.append(("scope", scope)) }
        if let credentials, !credentials.username.isEmpty { query.append(("account", credentials.username)) }
        if isLogin { query += [("client_id", Self.clientID), ("offline_token", "true")] }
        guard !query.isEmpty else { return realm.string }
        return realm.string + (realm.rest.contains("?") ? "&" : "?") + Self.encoded(query)
    }

    private var authorization: [(String, String)] {
        guard let credentials else { return [] }
        return [("Authorization", credentials.basicHeader)]
    }

    private static func encoded(_ query: [(String, String)]) -> String {
        query.map { $0.0 + "=" + RemoteURL.queryEncoded($0.1) }.joined(separator: "&")
    }
}

extension RegistryCredentials {
    /// The value of `Authorization` (RFC 7617).
    var basicHeader: String { "Basic " + Base64.encode(Array((username + ":" + password).utf8)) }
}

// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import JSON
import NIOCore
import NIOHTTP1

/// Answers a registry's challenges for one pull. Basic credentials go to the registry that they were given for, and to
/// the token server that this registry names, never elsewhere; a token is sent to the endpoint that asked for it.
actor RegistryAuthorizer {
    private let transport: RegistryTransport
    private let credentials: RegistryCredentials?
    /// The `Authorization` header by endpoint.
    private var headers: [RegistryEndpoint: String] = [:]

    init(_ transport: RegistryTransport, _ credentials: RegistryCredentials?) {
        self.transport = transport
        self.credentials = credentials
    }

    /// What to send to an endpoint, as far as it is known.
    func header(for endpoint: RegistryEndpoint) -> String? { headers[endpoint] }

    /// Whether the registry wants nothing but a password and there is none.
    func lacksPassword(for challenges: [AuthChallenge]) -> Bool {
        credentials == nil && !challenges.isEmpty && challenges.allSatisfy { $0.scheme == "basic" }
    }

    /// Learns from a 401 answer; false if there is nothing more to try.
    func answer(_ challenges: [AuthChallenge], from endpoint: RegistryEndpoint, repository: String) async throws -> Bool
    {
        let credentials = endpoint.isMirror ? nil : credentials
        let known = headers[endpoint]
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            let scope = bearer.parameters["scope"] ?? "repository:\(repository):pull"
            let token = try await token(bearer, scope, endpoint, credentials)
            headers[endpoint] = "Bearer " + token
        } else if challenges.contains(where: { $0.scheme == "basic" }), let credentials {
            headers[endpoint] = "Basic " + Self.basic(credentials)
        }
        return headers[endpoint] != known
    }

    private func token(
        _ challenge: AuthChallenge, _ scope: String, _ endpoint: RegistryEndpoint, _ credentials: RegistryCredentials?
    ) async throws -> String {
        guard let text = challenge.parameters["realm"], let realm = RemoteURL(text) else {
            throw RegistryError.invalidResponse("registry names no valid token realm")
        }
        // A token server without TLS is for registries without TLS; secrets are not sent in the clear to a host
        // that a registry picked.
        guard realm.scheme == "https" || endpoint.scheme == "http" || (endpoint.isInsecure && credentials == nil) else {
            throw RegistryError.invalidResponse("registry names a token realm without TLS: \(text)")
        }
        var query = ["service": challenge.parameters["service"] ?? ""].filter { !$0.value.isEmpty }.map { ($0, $1) }
        for part in scope.split(separator: " ") { query.append(("scope", String(part))) }
        var headers: [(String, String)] = []
        if let credentials { headers.append(("Authorization", "Basic " + Self.basic(credentials))) }
        let separator = realm.rest.contains("?") ? "&" : "?"
        let encoded = query.map { $0.0 + "=" + RemoteURL.queryEncoded($0.1) }.joined(separator: "&")
        let response = try await transport.send(
            .GET, realm.string + separator + encoded, headers: headers, isInsecure: endpoint.isInsecure)
        return try await Self.readToken(response)
    }

    private static func readToken(_ response: HTTPClientResponse) async throws -> String {
        let body = [UInt8](buffer: try await response.body.collect(upTo: 1 << 20))
        guard response.status == .ok else { throw RegistryError.refusal(status: Int(response.status.code), body: body) }
        let json = try? JSONValue(parsing: body, maximumDepth: 32)
        guard let token = json?["token"]?.string ?? json?["access_token"]?.string, !token.isEmpty,
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw RegistryError.invalidResponse("authorization server did not include a token in the response") }
        return token
    }

    private static func basic(_ credentials: RegistryCredentials) -> String {
        base64(Array((credentials.username + ":" + credentials.password).utf8))
    }
}

/// RFC 4648 §4.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        var bits: UInt32 = 0
        for byte in group { bits = bits << 8 | UInt32(byte) }
        bits <<= UInt32(8 * (3 - group.count))
        for index in 0..<4 {
            let isFilled = index <= group.count
            result.append(isFilled ? alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
        }
    }
    return String(decoding: result, as: UTF8.self)
}

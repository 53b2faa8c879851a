// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import OCISpec

/// Reads from registries. One value for the whole program; `session` makes the view that one pull has of one
/// repository.
package final class RegistryClient: Sendable {
    let configuration: RegistryConfiguration
    let transport: RegistryTransport

    package init(_ configuration: RegistryConfiguration) {
        self.configuration = configuration
        transport = RegistryTransport(configuration)
    }

    /// Ends all connections. Must be called before the last reference goes.
    package func shutdown() async { await transport.shutdown() }

    /// - Parameter credentials: for the registry of `reference`; nil pulls anonymously.
    package func session(_ reference: ImageReference, credentials: RegistryCredentials?) -> RegistrySession {
        RegistrySession(
            reference: reference, endpoints: configuration.endpoints(for: reference.domain), transport: transport,
            authorizer: RegistryAuthorizer(transport, credentials))
    }
}

/// One pull's connection to one repository.
package struct RegistrySession: Sendable {
    package let reference: ImageReference
    let endpoints: [RegistryEndpoint]
    let transport: RegistryTransport
    let authorizer: RegistryAuthorizer

    /// Sends a request for something in the repository to the endpoints in turn, until one has it.
    func request(
        _ method: HTTPMethod, _ path: String, headers: [(String, String)] = []
    ) async throws -> HTTPClientResponse {
        var failure: (any Error)?
        for endpoint in endpoints {
            do { return try await request(method, path, headers, endpoint) } catch {
                try Task.checkCancellation()
                // What an https answer says counts more than that nobody speaks http there.
                if failure == nil || (failure as? RegistryError)?.isUnreachable ?? false { failure = error }
                let mayGoOn = endpoint.isMirror || (error as? RegistryError)?.isUnreachable ?? false
                guard mayGoOn else { throw error }
            }
        }
        throw failure ?? RegistryError.invalidResponse("no endpoint for \(reference.domain)")
    }

    private func request(
        _ method: HTTPMethod, _ path: String, _ headers: [(String, String)], _ endpoint: RegistryEndpoint
    ) async throws -> HTTPClientResponse {
        let url = endpoint.url(reference.path + "/" + path)
        for _ in 0..<3 {
            var all = headers
            if let authorization = await authorizer.header(for: endpoint) {
                all.append(("Authorization", authorization))
            }
            let response = try await send(method, url, all, endpoint)
            guard response.status == .unauthorized else { return try await checked(response, method) }
            let challenges = response.headers["WWW-Authenticate"].flatMap { AuthChallenge.parse($0) }
            let refusal = try await Self.refusal(response, challenges)
            guard try await authorizer.answer(challenges, from: endpoint, repository: reference.path) else {
                guard await authorizer.lacksPassword(for: challenges) else { throw refusal }
                throw RegistryError.noCredentials(operation: TransportFailure.operation(method, url))
            }
        }
        throw RegistryError.refusal(status: 401, body: [])
    }

    /// A registry that does not answer at all is reported with its root, as docker does, whose first request goes
    /// there.
    private func send(
        _ method: HTTPMethod, _ url: String, _ headers: [(String, String)], _ endpoint: RegistryEndpoint
    ) async throws -> HTTPClientResponse {
        do {
            return try await transport.send(method, url, headers: headers, isInsecure: endpoint.isInsecure)
        } catch RegistryError.unreachable(_, let reason) {
            throw RegistryError.unreachable(operation: "Get \"\(endpoint.url(""))\"", reason: reason)
        }
    }

    private func checked(_ response: HTTPClientResponse, _ method: HTTPMethod) async throws -> HTTPClientResponse {
        if (200..<300).contains(response.status.code) { return response }
        throw try await Self.refusal(response, [])
    }

    private static func refusal(
        _ response: HTTPClientResponse, _ challenges: [AuthChallenge]
    ) async throws -> RegistryError {
        let body = (try? await response.body.collect(upTo: 1 << 16)).map { [UInt8](buffer: $0) } ?? []
        if challenges.contains(where: { $0.parameters["error"] == "insufficient_scope" }) {
            return .refused(status: 403, code: "DENIED", message: "requested access to the resource is denied")
        }
        return RegistryError.refusal(status: Int(response.status.code), body: body)
    }
}

extension RegistryError {
    var isUnreachable: Bool {
        guard case .unreachable = self else { return false }
        return true
    }
}

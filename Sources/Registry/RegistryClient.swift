// SPDX-License-Identifier: Apache-2.0
package import OCISpec

/// Talks to registries. One value for the whole program; `session` makes the view that one transfer has of one
/// repository.
package final class RegistryClient: Sendable {
    let configuration: RegistryConfiguration
    let transport: RegistryTransport
    let tokens = TokenCache()

    package init(_ configuration: RegistryConfiguration) {
        self.configuration = configuration
        transport = RegistryTransport(configuration)
    }

    /// Ends all connections. Must be called before the last reference goes.
    package func shutdown() async { await transport.shutdown() }

    /// - Parameter credentials: for the registry of `reference`; nil goes on anonymously.
    package func session(_ reference: ImageReference, credentials: RegistryCredentials?) throws -> RegistrySession {
        session(
            reference, credentials, try configuration.endpoints(for: reference.domain).filter { $0.canPull },
            scopes: ["repository:\(reference.path):pull"])
    }

    /// A session that may write. Mirrors are left out.
    ///
    /// - Parameter mountSources: other repositories of the same registry that blobs may be taken from.
    package func pushSession(
        _ reference: ImageReference, credentials: RegistryCredentials?, mountSources: Set<String> = []
    ) throws -> RegistrySession {
        let sources = mountSources.subtracting([reference.path]).sorted()
        return session(
            reference, credentials,
            try configuration.endpoints(for: reference.domain).filter { !$0.isMirror && $0.canPush },
            scopes: ["repository:\(reference.path):pull,push"] + sources.map { "repository:\($0):pull" })
    }

    private func session(
        _ reference: ImageReference, _ credentials: RegistryCredentials?, _ endpoints: [RegistryEndpoint],
        scopes: [String]
    ) -> RegistrySession {
        RegistrySession(
            reference: reference, endpoints: endpoints, transport: transport,
            authorizer: RegistryAuthorizer(transport, tokens, credentials, scopes: scopes),
            chunkBytes: configuration.uploadChunkBytes)
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON

/// The user's credentials for a registry, as requests carry them.
struct RegistryLogin {
    let config: ClientConfig

    /// The value of X-Registry-Auth: URL-safe base64 of the credentials, of `{}` when there are none. A helper that
    /// fails means none: the registry may be open to all.
    func header(forHost host: String) -> String {
        let key = RegistryServer.key(host)
        let known = try? CredentialStore(config: config).credentials(for: key)
        let json = known.map { $0.json(server: key) } ?? .object([])
        return Base64.encode(Array(json.serialized().utf8), urlSafe: true)
    }
}

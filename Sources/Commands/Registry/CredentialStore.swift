// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON

/// Where the user's credentials are: in the helper that the configuration names for the registry (`credHelpers`), or in
/// that for all (`credsStore`), or else in `auths` of the configuration itself.
struct CredentialStore {
    let config: ClientConfig

    /// - Parameter server: a key of `RegistryServer`.
    func credentials(for server: String) throws -> Credentials? {
        if let helper = helper(for: server) { return try helper.get(server) }
        let auths = config.values["auths"]?.members ?? []
        if let entry = auths.first(where: { $0.key == server }) { return Credentials(entry: entry.value) }
        // Old files have URLs as keys.
        return auths.first { RegistryServer.key($0.key) == server }.flatMap { Credentials(entry: $0.value) }
    }

    /// All that there are, by the names that the configuration or its helpers have for the servers.
    func all() throws -> [(server: String, credentials: Credentials)] {
        let common = config.string("credsStore").flatMap { $0.isEmpty ? nil : CredentialHelper(name: $0) }
        let own = config.values["credHelpers"]?.members ?? []
        let listed = try common?.servers() ?? (config.values["auths"]?.members ?? []).map(\.key)
        let servers = own.map(\.key) + listed.filter { name in !own.contains { $0.key == name } }
        return try servers.compactMap { server in try credentials(for: server).map { (server, $0) } }
    }

    /// - Returns: true if they now lie readable in the configuration.
    func store(_ credentials: Credentials, for server: String) throws -> Bool {
        let helper = helper(for: server)
        try helper?.store(credentials, for: server)
        try config.update { values in
            var auths = values["auths"] ?? .object([])
            auths.set(server, helper == nil ? credentials.entry : .object([]))
            values.set("auths", auths)
        }
        return helper == nil
    }

    func erase(_ server: String) throws {
        try helper(for: server)?.erase(server)
        let auths = config.values["auths"]?.members ?? []
        let left = auths.filter { $0.key != server && RegistryServer.key($0.key) != server }
        if left.count == auths.count { return }
        try config.update { $0.set("auths", .object(left)) }
    }

    private func helper(for server: String) -> CredentialHelper? {
        let own = config.values["credHelpers"]?[RegistryServer.host(server)] ?? config.values["credHelpers"]?[server]
        let name = own?.string ?? config.string("credsStore")
        return name.flatMap { $0.isEmpty ? nil : CredentialHelper(name: $0) }
    }
}

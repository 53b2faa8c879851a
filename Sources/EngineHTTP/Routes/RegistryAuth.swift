// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import JSON

/// The `X-Registry-Auth` header: base64url of a JSON object.
enum RegistryAuth {
    /// No header, an empty one, `{}` and what is no such header all mean nobody in particular: docker takes anything.
    static func credentials(_ header: String?) -> RegistryCredentials {
        guard let header, let bytes = Base64.decode(header), let json = try? JSONValue(parsing: bytes) else {
            return RegistryCredentials()
        }
        return credentials(of: json)
    }

    /// The members of docker's AuthConfig object.
    static let fields = FieldTable(
        "AuthConfig",
        ["username", "password", "auth", "email", "serveraddress", "identitytoken", "registrytoken"].map {
            .init($0, .string)
        })

    /// Reads docker's AuthConfig object.
    static func credentials(of json: JSONValue) -> RegistryCredentials {
        var credentials = RegistryCredentials()
        let token = json["identitytoken"]?.string ?? ""
        credentials.isIdentityToken = !token.isEmpty
        credentials.username = json["username"]?.string ?? ""
        credentials.secret = token.isEmpty ? json["password"]?.string ?? "" : token
        return credentials
    }
}

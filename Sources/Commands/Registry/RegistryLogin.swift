// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON

/// The user's credentials for a registry, from the `auths` of the configuration.
struct RegistryLogin {
    let config: ClientConfig

    /// The value of X-Registry-Auth: URL-safe base64 of the credentials, of `{}` when there are none.
    func header(forHost host: String) -> String {
        Base64.encode(Array(credentials(forHost: host).serialized().utf8), urlSafe: true)
    }

    private func credentials(forHost host: String) -> JSONValue {
        let keys =
            host == "docker.io"
            ? ["https://index.docker.io/v1/", "docker.io"] : [host, "https://" + host, "http://" + host]
        for key in keys {
            guard let entry = config.values["auths"]?[key] else { continue }
            var result: JSONValue = .object([])
            if let text = entry["auth"]?.string, let bytes = Base64.decode(text),
                let (user, password) = String(decoding: bytes, as: UTF8.self).cut(":")
            {
                result.set("username", .string(user))
                result.set("password", .string(password))
            }
            for name in ["identitytoken", "registrytoken"] {
                if let token = entry[name]?.string { result.set(name, .string(token)) }
            }
            result.set("serveraddress", .string(key))
            return result
        }
        return .object([])
    }
}

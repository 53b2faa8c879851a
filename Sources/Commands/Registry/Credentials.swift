// SPDX-License-Identifier: Apache-2.0
import JSON

/// A user's right to a registry, as docker's configuration and the Engine API have it.
package struct Credentials: Sendable, Equatable {
    package var username = ""
    package var password = ""
    /// Replaces the password; a registry gave it at login.
    package var identityToken = ""
    package var registryToken = ""

    package init(username: String = "", password: String = "", identityToken: String = "") {
        self.username = username
        self.password = password
        self.identityToken = identityToken
    }

    var isUsable: Bool { !identityToken.isEmpty || !registryToken.isEmpty || (!username.isEmpty && !password.isEmpty) }

    /// The API's AuthConfig.
    func json(server: String) -> JSONValue {
        var result: JSONValue = .object([])
        for (name, value) in [
            ("username", username), ("password", password), ("serveraddress", server),
            ("identitytoken", identityToken), ("registrytoken", registryToken),
        ] where !value.isEmpty {
            result.set(name, .string(value))
        }
        return result
    }

    // MARK: config.json

    /// Reads an entry of `auths`; nil if it holds nothing.
    init?(entry: JSONValue) {
        if let text = entry["auth"]?.string, let bytes = Base64.decode(text),
            let (user, password) = String(decoding: bytes, as: UTF8.self).cut(":")
        {
            username = user
            self.password = String(password.prefix { $0 != "\0" })
        }
        if let user = entry["username"]?.string, !user.isEmpty { username = user }
        if let password = entry["password"]?.string, !password.isEmpty { self.password = password }
        identityToken = entry["identitytoken"]?.string ?? ""
        registryToken = entry["registrytoken"]?.string ?? ""
        if !isUsable { return nil }
    }

    /// The entry of `auths`.
    var entry: JSONValue {
        var entry: JSONValue = ["auth": .string(Base64.encode(Array((username + ":" + password).utf8)))]
        if !identityToken.isEmpty { entry.set("identitytoken", .string(identityToken)) }
        if !registryToken.isEmpty { entry.set("registrytoken", .string(registryToken)) }
        return entry
    }
}

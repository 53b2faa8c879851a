// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
package import Proxies

/// A user's right to a registry.
package struct RegistryCredentials: Sendable, Equatable, Hashable {
    package var username: String
    package var password: String
    /// An OAuth2 refresh token that replaces the two; empty if there is none.
    package var identityToken: String

    package init(username: String, password: String, identityToken: String = "") {
        self.username = username
        self.password = password
        self.identityToken = identityToken
    }
}

/// How registries are reached, the same for every request.
package struct RegistryConfiguration: Sendable {
    /// Names (`host[:port]`) and networks (CIDR) whose certificates are not checked and that may speak plain HTTP.
    package var insecureRegistries: [String]
    /// Base URLs that are asked for Docker Hub's images first.
    package var mirrors: [String]
    /// Directories like `/etc/docker/certs.d`, with `<host[:port]>/{*.crt, *.cert, *.key}`.
    package var certificateDirectories: [String]
    /// Directories with `<registry>/hosts.toml` (containerd's registry host configuration); certificates beside it are
    /// found as in `certificateDirectories`.
    package var hostDirectories: [String] = []
    package var proxies = ProxySettings(environment: { Environment.nonEmpty($0) })
    /// How long a registry may be silent in the middle of a request, in seconds.
    package var timeout: Int64 = 60
    /// The most bytes that one request of an upload carries.
    package var uploadChunkBytes: Int64 = 256 << 20

    package init(
        insecureRegistries: [String] = [], mirrors: [String] = [],
        certificateDirectories: [String] = ["/etc/docker/certs.d"]
    ) {
        self.insecureRegistries = insecureRegistries
        self.mirrors = mirrors
        self.certificateDirectories = certificateDirectories
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Under which name a registry's credentials are kept.
enum RegistryServer {
    /// Docker Hub's, for historical reasons a URL.
    static let hub = "https://index.docker.io/v1/"

    /// The key for what the user wrote as a server, or for the host of an image's name.
    static func key(_ text: String) -> String {
        let host = host(text)
        return host.isEmpty || ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(host) ? hub : host
    }

    /// The host and port of a URL or of a bare host.
    static func host(_ text: String) -> String {
        var rest = text[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.utf8.count) }
        return String(rest.prefix { $0 != "/" })
    }
}

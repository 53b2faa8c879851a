// SPDX-License-Identifier: Apache-2.0

/// Which requests go through a proxy, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment say (in capitals or
/// not). Loopback addresses never do.
package struct ProxySettings: Sendable, Equatable {
    /// An HTTP proxy; https goes through it with CONNECT.
    package struct Server: Sendable, Hashable {
        package var host: String
        package var port: Int
        /// `user:password`, or empty.
        package var user: String
    }

    private var http: Server?
    private var https: Server?
    private var exceptions: [String] = []

    package init() {}

    /// - Parameter value: looks up a variable.
    package init(environment value: (String) -> String?) {
        func first(_ name: String) -> String { value(name) ?? value(name.lowercased()) ?? "" }
        http = Self.server(first("HTTP_PROXY"))
        https = Self.server(first("HTTPS_PROXY"))
        exceptions = first("NO_PROXY").split(separator: ",").map { $0.filter { $0 != " " }.lowercased() }
    }

    private static func server(_ text: String) -> Server? {
        var rest = text[...]
        if let mark = rest.firstRange(of: "://") {
            guard rest[..<mark.lowerBound].lowercased() == "http" else { return nil }
            rest = rest[mark.upperBound...]
        }
        rest = rest.prefix { $0 != "/" }
        var user = ""
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        let authority = String(rest)
        let host = hostName(of: authority)
        guard !host.isEmpty else { return nil }
        return Server(host: host, port: port(authority) ?? 80, user: user)
    }

    private static func port(_ authority: String) -> Int? {
        guard let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") else { return nil }
        return Int(authority[authority.index(after: colon)...])
    }

    /// The proxy for a request; nil goes there directly.
    package func server(scheme: String, authority: String) -> Server? {
        guard let server = scheme == "https" ? https : http else { return nil }
        let host = hostName(of: authority)
        if host == "localhost" || IPAddress(host)?.isLoopback ?? false { return nil }
        return exceptions.contains { Self.matches($0, host, authority) } ? nil : server
    }

    private static func matches(_ exception: String, _ host: String, _ authority: String) -> Bool {
        if exception == "*" || exception == host || exception == authority { return true }
        if let address = IPAddress(host) { return IPNetwork(exception)?.contains(address) ?? false }
        let suffix = exception.hasPrefix(".") ? exception : "." + exception
        return exception.count > 1 && host.hasSuffix(suffix)
    }
}

/// The host of `host[:port]`, without brackets.
package func hostName(of authority: String) -> String {
    if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
    return String(authority.prefix { $0 != ":" })
}

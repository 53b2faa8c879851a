// SPDX-License-Identifier: Apache-2.0
import Proxies

/// One place where a registry's API may answer.
struct RegistryEndpoint: Sendable, Equatable, Hashable {
    var scheme: String
    /// `host[:port]`, brackets around IPv6 included.
    var authority: String
    /// What stands before `/v2/`, without a slash at its end.
    var prefix: String = ""
    /// The certificate is not checked.
    var isInsecure = false
    /// Certificates that hold for this endpoint alone.
    var trust = EndpointTrust()
    /// `prefix` is all of the path before the repository: nothing is added to it.
    var hasWholePath = false
    var canPull = true
    var canPush = true
    /// A mirror: its failures are not the user's concern, and it gets no credentials.
    var isMirror = false

    var base: String { scheme + "://" + authority + prefix }

    func url(_ path: String) -> String { base + (hasWholePath ? "/" : "/v2/") + path }
}

/// How a server proves who it is.
struct EndpointSecurity: Sendable, Hashable {
    /// The certificate is not checked.
    var isInsecure = false
    var trust = EndpointTrust()
}

extension RegistryEndpoint {
    var security: EndpointSecurity { EndpointSecurity(isInsecure: isInsecure, trust: trust) }
}

/// Files with certificates, beside those of the system.
struct EndpointTrust: Sendable, Hashable {
    /// Authorities to believe.
    var roots: [String] = []
    /// Our own certificate and its key; empty if we have none.
    var client: [String] = []
}

extension RegistryConfiguration {
    static let hub = "docker.io"

    /// The endpoints of a registry in the order in which they are tried: those of its `hosts.toml`, or else mirrors of the
    /// Hub, https, and for an insecure registry (docker counts loopback addresses among them) http.
    func endpoints(for domain: String) throws(RegistryError) -> [RegistryEndpoint] {
        if let known = try HostsFile.endpoints(for: domain, in: hostDirectories) { return known }
        guard domain != Self.hub else {
            let mirrors = mirrors.compactMap { RegistryEndpoint(mirror: $0) }
            return mirrors + [RegistryEndpoint(scheme: "https", authority: "registry-1.docker.io")]
        }
        let isInsecure = isInsecure(domain)
        let https = RegistryEndpoint(scheme: "https", authority: domain, isInsecure: isInsecure)
        return isInsecure ? [https, RegistryEndpoint(scheme: "http", authority: domain, isInsecure: true)] : [https]
    }

    /// Where a registry is searched: the Hub has a host for that.
    func searchEndpoints(for domain: String) throws(RegistryError) -> [RegistryEndpoint] {
        guard domain == Self.hub else { return try endpoints(for: domain).filter { !$0.isMirror } }
        return [RegistryEndpoint(scheme: "https", authority: "index.docker.io")]
    }

    /// Whether the user named this registry as insecure, or it is on this machine.
    package func isInsecure(_ domain: String) -> Bool {
        let host = hostName(of: domain)
        if host == "localhost" { return true }
        if insecureRegistries.contains(where: { $0 == domain || $0 == host }) { return true }
        guard let address = IPAddress(host) else { return false }
        return address.isLoopback || insecureRegistries.contains { IPNetwork($0)?.contains(address) ?? false }
    }
}

extension RegistryEndpoint {
    /// Reads a mirror's URL; nil if it is none. Without a scheme it is https.
    init?(mirror text: String) {
        var rest = text[...]
        scheme = "https"
        for known in ["https", "http"] where rest.hasPrefix(known + "://") {
            scheme = known
            rest = rest.dropFirst(known.count + 3)
        }
        while rest.hasSuffix("/") { rest = rest.dropLast() }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        guard slash > rest.startIndex else { return nil }
        authority = String(rest[..<slash])
        guard !hostName(of: authority).isEmpty else { return nil }
        prefix = String(rest[slash...])
        isMirror = true
    }
}

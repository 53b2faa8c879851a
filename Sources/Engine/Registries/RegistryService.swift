// SPDX-License-Identifier: Apache-2.0
package import JSON
import LinuxSystem
package import OCISpec
import Proxies
import Registry

/// What the Engine API asks of registries beside moving images: logins, searches, lists of tags, what a name means
/// there. Images themselves are moved by the supervisor.
package final class RegistryService: Sendable {
    let client: RegistryClient

    init(configuration: EngineConfiguration) {
        var registries = RegistryConfiguration(
            insecureRegistries: configuration.insecureRegistries, mirrors: configuration.registryMirrors)
        registries.timeout = configuration.registryTimeout
        registries.proxies = ProxySettings { configuration.proxyVariable($0) }
        client = RegistryClient(registries)
    }

    func shutdown() async { await client.shutdown() }

    // MARK: Login

    /// Tries credentials; returns the identity token that the registry offers instead of the password, or an empty text.
    ///
    /// - Parameter server: as clients send it: a host, a URL, or nothing for the Hub.
    package func login(_ server: String, _ credentials: RegistryCredentials) async throws -> String {
        let domain = Self.domain(server)
        guard ReferenceGrammar.isDomain(domain) else {
            throw EngineError.invalidArgument(
                "invalid registry server \"\(server)\": it must be a host, or a URL of one")
        }
        guard let known = credentials.forRegistry else {
            throw EngineError.invalidArgument("no credentials for registry \(domain) given")
        }
        do { return try await client.login(domain, credentials: known) } catch let error as RegistryError {
            throw EngineError(error.pushError)
        }
    }

    /// `https://index.docker.io/v1/` and no server at all are `docker.io`; of a URL the host counts.
    static func domain(_ server: String) -> String {
        var rest = server[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.utf8.count) }
        let host = String(rest.prefix { $0 != "/" })
        return host.isEmpty || host == "index.docker.io" || host == "registry-1.docker.io" ? "docker.io" : host
    }

    // MARK: Search

    private static let limits = 1...100
    private static let defaultLimit = 25

    /// The results of `docker search`: an array of the registry's own objects.
    ///
    /// - Parameter term: what is looked for, with a registry's host before it unless that is the Hub.
    package func search(
        _ term: String, limit: Int?, filter: SearchFilter, credentials: RegistryCredentials
    ) async throws -> JSONValue {
        let limit = limit ?? Self.defaultLimit
        guard Self.limits.contains(limit) else {
            throw EngineError.invalidArgument("limit \(limit) is outside the range of [1, 100]")
        }
        guard !term.isEmpty, !term.contains("://") else {
            throw EngineError.invalidArgument("invalid repository name: \(term)")
        }
        let (domain, words) = Self.splitTerm(term)
        let body: [UInt8]
        do {
            body = try await client.search(domain, term: words, limit: limit, credentials: credentials.forRegistry)
        } catch let error as RegistryError { throw EngineError.internal(error.cause) }
        guard let json = try? JSONValue(parsing: body, maximumDepth: 32) else {
            throw EngineError.internal("the registry's answer to the search is no JSON")
        }
        return .array((json["results"]?.array ?? []).filter { filter.passes($0) }.map { Self.result($0) })
    }

    private static func splitTerm(_ term: String) -> (domain: String, words: String) {
        guard let slash = term.firstIndex(of: "/") else { return ("docker.io", term) }
        let first = String(term[..<slash])
        guard first.contains(".") || first.contains(":") || first == "localhost" else { return ("docker.io", term) }
        return (domain(first), String(term[term.index(after: slash)...]))
    }

    private static func result(_ entry: JSONValue) -> JSONValue {
        [
            "star_count": .int(entry["star_count"]?.int ?? 0),
            "is_official": .bool(entry["is_official"]?.bool ?? false),
            "name": .string(entry["name"]?.string ?? ""), "is_automated": false,
            "description": .string(entry["description"]?.string ?? ""),
        ]
    }

    // MARK: Repositories

    /// All of a repository's tags as references.
    package func tagged(_ repository: ImageReference, credentials: RegistryCredentials) async throws -> [ImageReference]
    {
        do {
            let tags = try await client.session(repository, credentials: credentials.forRegistry).tags()
            let references = tags.compactMap { try? ImageReference(repository.name + ":" + $0) }
            guard !references.isEmpty else {
                throw EngineError.notFound("repository \(repository.familiarName) has no tags")
            }
            return references
        } catch let error as RegistryError {
            throw ImageService.pullError(error.serviceError(for: repository))
        }
    }
}

extension RegistryCredentials {
    /// As the registry client takes them; nil if there are none.
    var forRegistry: Registry.RegistryCredentials? {
        guard !isEmpty else { return nil }
        return Registry.RegistryCredentials(
            username: username, password: isIdentityToken ? "" : secret, identityToken: isIdentityToken ? secret : "")
    }
}

// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Glibc
import JSON
import NIOCore
import NIOHTTP1
import NIOSSL
import Proxies
import Synchronization

/// Sends requests. Keeps one HTTP client for each kind of TLS settings; `shutdown` must be called before the last
/// reference goes.
final class RegistryTransport: Sendable {
    private let configuration: RegistryConfiguration
    private let clients = Mutex<[ClientKind: HTTPClient]>([:])

    /// What requests must have in common to share connections.
    private struct ClientKind: Hashable {
        var isInsecure: Bool
        var trust: EndpointTrust
        var directory: String?
        /// The certificates as they are now: a client reads them once, and they may be replaced while we run.
        var files: [FileMark]
        var proxy: ProxySettings.Server?
    }

    init(_ configuration: RegistryConfiguration) { self.configuration = configuration }

    func shutdown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { try? await client.shutdown() }
    }

    /// Sends one request and follows redirects. `Authorization` goes to the origin of `url` only, and not even there
    /// if that is not the one of `trusted`, the registry that the header is for (nil: it is).
    func send(
        _ method: HTTPMethod, _ url: String, headers: [(String, String)], body: RequestBody? = nil,
        trusted: String? = nil, security: EndpointSecurity
    ) async throws -> HTTPClientResponse {
        guard var current = RemoteURL(url), let origin = RemoteURL(trusted ?? url) else {
            throw RegistryError.invalidResponse("invalid URL \(url)")
        }
        for _ in 0..<6 {
            let mayKnow = current.hasOrigin(of: origin)
            let allowed = headers.filter { mayKnow || $0.0.lowercased() != "authorization" }
            let response = try await execute(
                method, current, allowed, body, mayKnow ? security : EndpointSecurity())
            guard (300..<400).contains(response.status.code), response.status != .notModified else { return response }
            guard let location = response.headers.first(name: "Location"),
                let next = current.redirected(to: location),
                next.scheme == "https" || origin.scheme == "http" || security.isInsecure
            else { throw RegistryError.invalidResponse("\(method) \(url): invalid redirect") }
            current = next
        }
        throw RegistryError.invalidResponse("\(method) \(url): stopped after 5 redirects")
    }

    private func execute(
        _ method: HTTPMethod, _ url: RemoteURL, _ headers: [(String, String)], _ body: RequestBody?,
        _ security: EndpointSecurity
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url.string)
        request.method = method
        request.headers = HTTPHeaders(headers)
        if let body {
            request.body = body.make()
            for (name, value) in body.headers { request.headers.replaceOrAdd(name: name, value: value) }
        }
        request.headers.replaceOrAdd(name: "User-Agent", value: "swrun")
        let client = try client(url, security)
        // An upload takes as long as it takes; what stands still ends by the idle timeouts below.
        let deadline: NIODeadline = body == nil ? .now() + .seconds(300) : .distantFuture
        do {
            do { return try await client.execute(request, deadline: deadline) } catch {
                // A kept connection that the server gave up just now says nothing about the server.
                guard body == nil, TransportFailure.isClosedConnection(error) else { throw error }
                return try await client.execute(request, deadline: deadline)
            }
        } catch {
            let isProxied = configuration.proxies.server(scheme: url.scheme, authority: url.authority) != nil
            throw TransportFailure.describe(error, method, url, isProxied: isProxied)
        }
    }

    // MARK: Clients

    private func client(_ url: RemoteURL, _ security: EndpointSecurity) throws -> HTTPClient {
        let isInsecure = security.isInsecure || configuration.isInsecure(url.authority)
        let directory = certificateDirectory(url.authority)
        let certificates = directory.map { directory in Self.names(in: directory).map { directory + "/" + $0 } } ?? []
        let kind = ClientKind(
            isInsecure: isInsecure, trust: security.trust, directory: directory,
            files: (certificates + security.trust.roots + security.trust.client).map { FileMark($0) },
            proxy: configuration.proxies.server(scheme: url.scheme, authority: url.authority))
        return try clients.withLock { clients in
            if let client = clients[kind] { return client }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: try settings(kind))
            clients[kind] = client
            return client
        }
    }

    private func settings(_ kind: ClientKind) throws -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if kind.isInsecure { tls.certificateVerification = .none }
        if let directory = kind.directory { try addCertificates(of: directory, to: &tls) }
        for path in kind.trust.roots {
            tls.additionalTrustRoots.append(.certificates(try NIOSSLCertificate.fromPEMFile(path)))
        }
        if let certificate = kind.trust.client.first, let key = kind.trust.client.last {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        }
        var settings = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        settings.timeout = .init(
            connect: .seconds(15), read: .seconds(configuration.timeout), write: .seconds(configuration.timeout))
        settings.connectionPool.retryConnectionEstablishment = false
        settings.httpVersion = .http1Only
        if let proxy = kind.proxy {
            settings.proxy =
                proxy.user.isEmpty
                ? .server(host: proxy.host, port: proxy.port)
                : .server(
                    host: proxy.host, port: proxy.port,
                    authorization: .basic(credentials: Base64.encode(Array(proxy.user.utf8))))
        }
        return settings
    }

    private func certificateDirectory(_ authority: String) -> String? {
        (configuration.hostDirectories + configuration.certificateDirectories).map { $0 + "/" + authority }
            .first { access($0, R_OK | X_OK) == 0 }
    }

    /// docker's layout: `*.crt` are roots to trust as well, `NAME.cert` with `NAME.key` identify us.
    private func addCertificates(of directory: String, to tls: inout TLSConfiguration) throws {
        for name in Self.names(in: directory) {
            let path = directory + "/" + name
            if name.hasSuffix(".crt") {
                tls.additionalTrustRoots.append(.certificates(try NIOSSLCertificate.fromPEMFile(path)))
            } else if name.hasSuffix(".cert") {
                let key = path.dropLast(".cert".count) + ".key"
                tls.certificateChain = try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: String(key), format: .pem))
            }
        }
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.sorted()
    }
}

/// Which content of a file it was: another one has another mark.
private struct FileMark: Hashable {
    private var path: String
    private var inode: UInt64 = 0
    private var size: Int64 = 0
    private var seconds: Int64 = 0
    private var nanoseconds: Int64 = 0

    init(_ path: String) {
        self.path = path
        var info = stat()
        guard stat(path, &info) == 0 else { return }
        (inode, size) = (UInt64(info.st_ino), Int64(info.st_size))
        (seconds, nanoseconds) = (Int64(info.st_mtim.tv_sec), Int64(info.st_mtim.tv_nsec))
    }
}

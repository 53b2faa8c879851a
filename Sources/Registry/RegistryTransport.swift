// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Sends requests. Keeps one HTTP client for each kind of TLS settings; `shutdown` must be called before the last
/// reference goes.
final class RegistryTransport: Sendable {
    private let configuration: RegistryConfiguration
    private let clients = Mutex<[String: HTTPClient]>([:])

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
        trusted: String? = nil, isInsecure: Bool
    ) async throws -> HTTPClientResponse {
        guard var current = RemoteURL(url), let origin = RemoteURL(trusted ?? url) else {
            throw RegistryError.invalidResponse("invalid URL \(url)")
        }
        for _ in 0..<6 {
            let mayKnow = current.hasOrigin(of: origin)
            let allowed = headers.filter { mayKnow || $0.0.lowercased() != "authorization" }
            let response = try await execute(method, current, allowed, body, isInsecure: isInsecure && mayKnow)
            guard (300..<400).contains(response.status.code), response.status != .notModified else { return response }
            guard let location = response.headers.first(name: "Location"),
                let next = current.redirected(to: location),
                next.scheme == "https" || origin.scheme == "http" || isInsecure
            else { throw RegistryError.invalidResponse("\(method) \(url): invalid redirect") }
            current = next
        }
        throw RegistryError.invalidResponse("\(method) \(url): stopped after 5 redirects")
    }

    private func execute(
        _ method: HTTPMethod, _ url: RemoteURL, _ headers: [(String, String)], _ body: RequestBody?, isInsecure: Bool
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url.string)
        request.method = method
        request.headers = HTTPHeaders(headers)
        if let body {
            request.body = body.make()
            for (name, value) in body.headers { request.headers.replaceOrAdd(name: name, value: value) }
        }
        request.headers.replaceOrAdd(name: "User-Agent", value: "swrun")
        let client = try client(url.authority, isInsecure: isInsecure || configuration.isInsecure(url.authority))
        // An upload takes as long as it takes; what stands still ends by the idle timeouts below.
        let deadline: NIODeadline = body == nil ? .now() + .seconds(300) : .distantFuture
        do { return try await client.execute(request, deadline: deadline) } catch {
            throw TransportFailure.describe(error, method, url)
        }
    }

    // MARK: Clients

    private func client(_ authority: String, isInsecure: Bool) throws -> HTTPClient {
        let directory = certificateDirectory(authority)
        let key = isInsecure ? "insecure" : directory ?? ""
        return try clients.withLock { clients in
            if let client = clients[key] { return client }
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: try settings(directory, isInsecure: isInsecure))
            clients[key] = client
            return client
        }
    }

    private func settings(_ directory: String?, isInsecure: Bool) throws -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if isInsecure { tls.certificateVerification = .none }
        if let directory { try addCertificates(of: directory, to: &tls) }
        var settings = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        settings.timeout = .init(connect: .seconds(15), read: .seconds(60), write: .seconds(60))
        settings.connectionPool.retryConnectionEstablishment = false
        settings.httpVersion = .http1Only
        return settings
    }

    private func certificateDirectory(_ authority: String) -> String? {
        configuration.certificateDirectories.map { $0 + "/" + authority }.first { access($0, R_OK | X_OK) == 0 }
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

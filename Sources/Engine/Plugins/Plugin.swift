// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import JSON
import NIOCore
import NIOHTTP1
import NIOSSL

/// A program that answers docker's plugin protocol: `POST /Class.Method` with a JSON document, answered by one.
struct Plugin: Sendable {
    let name: String
    let address: PluginAddress
    /// What it can do (`Implements`): `VolumeDriver`, `authz`…
    var kinds: Set<String> = []

    /// What is waited between attempts to reach it, as docker does.
    static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4), .seconds(8)]

    private static let answerLimit = 4 << 20

    /// Never shut down: the daemon's end ends it.
    private static let client: HTTPClient = {
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        settings.connectionPool.retryConnectionEstablishment = false  // we know better when to try again
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }()

    /// - Parameters:
    ///   - limit: how long an answer may take.
    ///   - isPatient: tries again for a while if the plugin cannot be reached.
    func call(
        _ method: String, _ json: JSONValue = .null, within limit: Duration, isPatient: Bool = true
    ) async throws(PluginError) -> JSONValue {
        // Ends with the answer, even if who asked has gone: what a plugin was told to do is known then.
        let task = Task {
            do throws(PluginError) {
                return Result<JSONValue, PluginError>.success(try await attempt(method, json, limit, isPatient))
            } catch {
                return .failure(error)
            }
        }
        return try await task.value.get()
    }

    private func attempt(
        _ method: String, _ json: JSONValue, _ limit: Duration, _ isPatient: Bool
    ) async throws(PluginError) -> JSONValue {
        var pauses = (isPatient ? Self.pauses : [])[...]
        while true {
            do throws(PluginError) { return try await callOnce(method, json, limit) } catch {
                guard error.reason == .unreachable, let pause = pauses.popFirst() else { throw error }
                do { try await Task.sleep(for: pause) } catch _ { throw error }
            }
        }
    }

    private func callOnce(
        _ method: String, _ json: JSONValue, _ limit: Duration
    ) async throws(PluginError) -> JSONValue {
        let status: Int
        let body: [UInt8]
        do {
            let response = try await Self.client.execute(try request(method, json), timeout: TimeAmount(limit))
            body = Array(try await response.body.collect(upTo: Self.answerLimit).readableBytesView)
            status = Int(response.status.code)
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout {
            // Not tried again: it has had its time.
            throw PluginError(.refused(status: 0), "\(method): no answer of plugin \(name) within \(limit)")
        } catch is NIOTooManyBytesError {
            throw PluginError(.refused(status: 0), "\(method): the answer of plugin \(name) is too large")
        } catch {
            throw PluginError(.unreachable, "\(method): plugin \(name) cannot be reached: \(error)")
        }
        let answer = try? JSONValue(parsing: body)
        if let problem = answer?["Err"]?.string, !problem.isEmpty {
            throw PluginError(.refused(status: status), (status == 200 ? "" : method + ": ") + problem)
        }
        guard status == 200 else {
            let text = String(decoding: body.prefix(4096), as: UTF8.self)
            throw PluginError(.refused(status: status), "\(method): \(text)")
        }
        guard let answer else {
            throw PluginError(.refused(status: status), "\(method): the answer of plugin \(name) is not JSON")
        }
        return answer
    }

    private func request(_ method: String, _ json: JSONValue) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address.url + "/" + method)
        request.method = .POST
        if address.isSocket { request.headers.add(name: "Host", value: "plugin.moby.localhost") }
        request.headers.add(name: "Accept", value: "application/vnd.docker.plugins.v1.2+json")
        if !json.isNull {
            request.headers.add(name: "Content-Type", value: "application/vnd.docker.plugins.v1.2+json")
            request.body = .bytes(ByteBuffer(bytes: json.bytes()))
        }
        if address.url.hasPrefix("https:") { request.tlsConfiguration = try address.tls.configuration() }
        return request
    }
}

extension PluginAddress.TLS {
    fileprivate func configuration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = verifies ? .fullVerification : .none
        if !authorities.isEmpty { configuration.trustRoots = .file(authorities) }
        if !certificate.isEmpty {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
        }
        if !key.isEmpty { configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)) }
        return configuration
    }
}

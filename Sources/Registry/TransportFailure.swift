// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Puts the network's failures into the words that docker's users know.
package enum TransportFailure {
    /// - Parameter isProxied: connections are made to a proxy, not to the registry itself.
    static func describe(
        _ error: any Error, _ method: HTTPMethod, _ url: RemoteURL, isProxied: Bool = false
    ) -> any Error {
        if error is CancellationError { return error }
        if let error = error as? RegistryError { return error }
        if let error = error as? HTTPClientError, error == .cancelled { return CancellationError() }
        let place = isProxied && error is NIOConnectionError ? "proxyconnect tcp: " : ""
        return RegistryError.unreachable(
            operation: operation(method, url.string), reason: place + reason(error, authority: url.authority))
    }

    /// The other side closed the connection instead of answering.
    static func isClosedConnection(_ error: any Error) -> Bool {
        if let error = error as? HTTPClientError { return error == .remoteConnectionClosed }
        return [ECONNRESET, EPIPE].contains((error as? IOError)?.errnoCode ?? 0)
    }

    /// `Get "https://…"`: a request as Go's client names it in errors.
    static func operation(_ method: HTTPMethod, _ url: String) -> String {
        let name = method.rawValue
        return "\(name.prefix(1))\(name.dropFirst().lowercased()) \"\(url)\""
    }

    /// The same for a body that breaks off; `what` says whose it is.
    static func describe(_ error: any Error, reading what: String) -> any Error {
        if error is CancellationError { return error }
        if let error = error as? HTTPClientError, error == .cancelled { return CancellationError() }
        let isTimeout = [.readTimeout, .deadlineExceeded].contains(error as? HTTPClientError)
        return RegistryError.unreachable(
            operation: "read " + what,
            reason: isTimeout ? "i/o timeout" : isClosedConnection(error) ? "EOF" : "\(error)")
    }

    /// Why a connection to `authority` (`host[:port]`), or a request over it, failed.
    package static func reason(_ error: any Error, authority: String) -> String {
        switch error {
        case let error as NIOConnectionError: connection(error)
        case let error as IOError: "dial tcp \(authority): connect: \(errnoText(error.errnoCode))"
        case let error as NIOSSLError: tls(error)
        case let error as HTTPClientError where error == .connectTimeout: "dial tcp \(authority): i/o timeout"
        case let error as HTTPClientError where error == .readTimeout || error == .deadlineExceeded:
            "net/http: timeout awaiting response headers"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "EOF"
        default: "\(error)"
        }
    }

    private static func connection(_ error: NIOConnectionError) -> String {
        if let failure = error.connectionErrors.last {
            let address = failure.target.ipAddress.map { $0.contains(":") ? "[\($0)]" : $0 } ?? error.host
            let number = (failure.error as? IOError)?.errnoCode
            let detail = number.map { "connect: " + errnoText($0) } ?? "i/o timeout"
            return "dial tcp \(address):\(error.port): \(detail)"
        }
        return "dial tcp: lookup \(error.host): no such host"
    }

    private static func tls(_ error: NIOSSLError) -> String {
        let detail = "\(error)"
        if detail.contains("WRONG_VERSION_NUMBER") || detail.contains("HTTP_REQUEST") {
            return "http: server gave HTTP response to HTTPS client"
        }
        if detail.contains("CERTIFICATE_VERIFY_FAILED") {
            return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
        }
        return "tls: " + detail
    }

    private static func errnoText(_ number: CInt) -> String {
        guard let message = strerror(number) else { return "errno \(number)" }
        let text = String(cString: message)
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}

extension HTTPClientResponse {
    /// The whole body.
    ///
    /// - Parameter what: whose body it is, for errors.
    /// - Throws: `NIOTooManyBytesError` if there are more than `limit` bytes; a `RegistryError` if it breaks off.
    func bytes(upTo limit: Int, of what: String) async throws -> [UInt8] {
        do { return [UInt8](buffer: try await body.collect(upTo: limit)) } catch {
            throw error is NIOTooManyBytesError ? error : TransportFailure.describe(error, reading: what)
        }
    }
}

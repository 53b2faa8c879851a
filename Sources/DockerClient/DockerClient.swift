// SPDX-License-Identifier: Apache-2.0
package import JSON
import LinuxSystem
import Proxies

/// A client of the Docker Engine API over plain HTTP/1.1. Blocking; one thread.
///
/// The API version is agreed on with the first request (`HEAD /_ping`): the newest that both sides know.
package final class DockerClient {
    /// The newest version this client was written for.
    package static let newestVersion = "1.50"

    package enum Body {
        case none
        case json(JSONValue)
        case bytes([UInt8], contentType: String)
        /// Sent in chunks until the closure gives nil.
        case stream(contentType: String, next: () throws(ClientError) -> BodyPiece?)
    }

    package let host: DaemonHost
    private let tls: TLSOptions?
    /// The proxy in front of a daemon on TCP, as the environment says.
    private let proxy: ProxySettings.Server?
    private let fixedVersion: String?
    private let extraHeaders: [(name: String, value: String)]
    private var negotiated: String?
    private var idle: HTTPConnection?
    /// The headers of the daemon's answer to the ping.
    private var ping: [(name: String, value: String)] = []

    /// - Parameter tls: for a daemon on TCP; nil is plain HTTP.
    package init(
        host: DaemonHost, tls: TLSOptions? = nil, version: String? = nil,
        extraHeaders: [(name: String, value: String)] = []
    ) {
        self.host = host
        self.tls = tls
        proxy = host.proxy(usesTLS: tls != nil)
        self.fixedVersion = version
        self.extraHeaders = extraHeaders
    }

    // MARK: Requests

    /// Sends a request and returns the daemon's answer once its headers are here; an error status is thrown.
    package func send(
        _ method: String, _ path: String, _ query: Query = Query(), headers: [(name: String, value: String)] = [],
        body: Body = .none
    ) throws(ClientError) -> HTTPResponse {
        let target = "/v" + (try version()) + path + query.encoded
        return try checked(try exchange(method, target, headers, body), target)
    }

    package func json(
        _ method: String, _ path: String, _ query: Query = Query(), body: Body = .none
    ) throws(ClientError) -> JSONValue {
        try send(method, path, query, body: body).json()
    }

    /// Sends a request whose answer says nothing.
    package func perform(
        _ method: String, _ path: String, _ query: Query = Query(), body: Body = .none
    ) throws(ClientError) {
        _ = try send(method, path, query, body: body).readAll(limit: 1 << 20)
    }

    /// Asks the daemon to turn the connection into a container's streams.
    package func hijack(
        _ path: String, _ query: Query = Query(), body: JSONValue? = nil
    ) throws(ClientError) -> HijackedConnection {
        let target = "/v" + (try version()) + path + query.encoded
        var headers: [(name: String, value: String)] = [("Connection", "Upgrade"), ("Upgrade", "tcp")]
        if body == nil { headers.append(("Content-Type", "text/plain")) }
        // Not through a proxy, which need not let streams pass in both directions.
        let connection = try connectDirectly()
        let answer = try roundTrip(
            connection, "POST", target, headers, body.map { .json($0) } ?? .none, recycles: false)
        guard answer.status == 101 || answer.status == 200 else {
            _ = try checked(answer, target)
            throw .broken("unable to upgrade to tcp, received \(answer.status)")
        }
        return HijackedConnection(connection, contentType: answer.header("content-type"))
    }

    /// A connection to the daemon for somebody who speaks to it.
    package func dial() throws(ClientError) -> HijackedConnection {
        HijackedConnection(try connectDirectly(), contentType: nil)
    }

    // MARK: Version

    /// The API version in use; asks the daemon on first use.
    package func version() throws(ClientError) -> String {
        if let fixedVersion { return fixedVersion }
        if let negotiated { return negotiated }
        let answer = try exchange("HEAD", "/_ping", [], .none)
        ping = answer.headers
        let theirs = answer.header("api-version") ?? "1.24"
        let version = APIVersion.isLess(theirs, DockerClient.newestVersion) ? theirs : DockerClient.newestVersion
        negotiated = version
        return version
    }

    /// A header of the daemon's answer to a ping, its name in lower case.
    package func pingHeader(_ name: String) throws(ClientError) -> String? {
        _ = try version()
        for header in ping where header.name == name { return header.value }
        return nil
    }

    // MARK: Wire

    private func checked(_ answer: HTTPResponse, _ target: String) throws(ClientError) -> HTTPResponse {
        guard answer.status >= 400 else { return answer }
        let bytes = try answer.readAll(limit: 1 << 20)
        let parsed = try? JSONValue(parsing: bytes)
        var message = parsed?["message"]?.string ?? String(decoding: bytes, as: UTF8.self)
        while message.utf8.last == 10 || message.utf8.last == 32 { message.removeLast() }
        if message.isEmpty {
            message =
                "request returned \(answer.reason) for API route and version \(target), "
                + "check if the server supports the requested API version"
        }
        throw .daemon(status: answer.status, message: message)
    }

    private func exchange(
        _ method: String, _ target: String, _ headers: [(name: String, value: String)], _ body: Body
    ) throws(ClientError) -> HTTPResponse {
        if let connection = idle {
            idle = nil
            connection.isReused = true
            do throws(ClientError) { return try roundTrip(connection, method, target, headers, body) } catch {
                // The daemon may have closed the idle connection; a body that is a stream cannot be sent twice.
                if case .stream = body { throw error }
                guard case .broken(DockerClient.closedEarly) = error else { throw error }
            }
        }
        guard let proxy else { return try roundTrip(try connectDirectly(), method, target, headers, body) }
        let connection = try connect(through: proxy)
        return try roundTrip(connection, method, target, headers, body)
    }

    private static let closedEarly = "the daemon closed the connection without an answer"

    private func connectDirectly() throws(ClientError) -> HTTPConnection {
        switch host {
        case .ssh(let remote): return HTTPConnection(try remote.connect())
        case .tcp(let name, let port):
            guard let fd = connectTCP(host: name, port: port) else { throw .cannotConnect(host: host.description) }
            let connection = HTTPConnection(fd)
            if let tls { try connection.startTLS(host: name, tls) }
            return connection
        case .unix(let path):
            do throws(SysError) { return HTTPConnection(try UnixSocket.connect(FilePath(path))) } catch {
                if error.errno == .accessDenied || error.errno == .notPermitted {
                    throw .permissionDenied(host: host.description)
                }
                throw .cannotConnect(host: host.description)
            }
        }
    }

    /// To the proxy; with TLS through it to the daemon (RFC 9110 §9.3.6).
    private func connect(through proxy: ProxySettings.Server) throws(ClientError) -> HTTPConnection {
        let port = UInt16(exactly: proxy.port) ?? 0
        guard let fd = connectTCP(host: proxy.host, port: port) else {
            throw .broken("error during connect: the proxy \(proxy.host):\(proxy.port) does not answer")
        }
        let connection = HTTPConnection(fd)
        guard let tls, case .tcp(let name, _) = host else {
            connection.proxy = proxy
            return connection
        }
        let head = "CONNECT \(host.authority) HTTP/1.1\r\nHost: \(host.authority)\r\n"
        try connection.send(Array((head + proxy.authorization + "\r\n").utf8))
        let (status, reason, _) = try readHead(connection)
        guard status == 200 else { throw .broken("error during connect: the proxy answers: \(reason)") }
        try connection.startTLS(host: name, tls)
        return connection
    }

    private func roundTrip(
        _ connection: HTTPConnection, _ method: String, _ target: String,
        _ headers: [(name: String, value: String)], _ body: Body, recycles: Bool = true
    ) throws(ClientError) -> HTTPResponse {
        do throws(ClientError) { try write(connection, method, target, headers, body) } catch {
            if case .source = error { throw error }
            if case .ssh(let remote) = host, !connection.isReused { throw remote.failure }
            // The daemon may have answered and closed before it took the whole body: the answer says why.
            if case .none = body { throw connection.isReused ? .broken(DockerClient.closedEarly) : error }
        }
        while true {
            let (status, reason, fields) = try readHead(connection)
            if (100..<200).contains(status), status != 101 { continue }
            let hasBody = method != "HEAD" && status != 204 && status != 304 && status != 101
            return try HTTPResponse(
                status: status, reason: reason, headers: fields, connection: connection, hasBody: hasBody
            ) { [weak self] in
                if recycles { self?.idle = $0 }
            }
        }
    }

    private func write(
        _ connection: HTTPConnection, _ method: String, _ target: String,
        _ headers: [(name: String, value: String)], _ body: Body
    ) throws(ClientError) {
        var head = method + " " + target + " HTTP/1.1\r\nHost: api.moby.localhost\r\n"
        if let proxy = connection.proxy {
            let authority = host.authority
            head = method + " http://" + authority + target + " HTTP/1.1\r\nHost: " + authority + "\r\n"
            head += proxy.authorization
        }
        head += "User-Agent: Swrun-Client/" + Version.number + " (linux)\r\n"
        for header in extraHeaders + headers { head += header.name + ": " + header.value + "\r\n" }
        switch body {
        case .none:
            if method == "POST" || method == "PUT" { head += "Content-Length: 0\r\n" }
            try connection.send(Array((head + "\r\n").utf8))
        case .json(let value):
            try writeWhole(connection, head, value.bytes(.compact) + [10], "application/json")
        case .bytes(let bytes, let type): try writeWhole(connection, head, bytes, type)
        case .stream(let type, let next):
            head += "Content-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n"
            try connection.send(Array(head.utf8))
            while let piece = try next() {
                if piece.count == 0 { continue }
                try connection.send(chunk: piece)
            }
            try connection.send(Array("0\r\n\r\n".utf8))
        }
    }

    private func writeWhole(
        _ connection: HTTPConnection, _ head: String, _ bytes: [UInt8], _ type: String
    ) throws(ClientError) {
        let head = head + "Content-Length: \(bytes.count)\r\nContent-Type: " + type + "\r\n\r\n"
        try connection.send(Array(head.utf8) + bytes)
    }

    private func readHead(
        _ connection: HTTPConnection
    ) throws(ClientError) -> (status: Int, reason: String, headers: [(name: String, value: String)]) {
        guard let line = try connection.line() else {
            if case .ssh(let remote) = host, !connection.isReused { throw remote.failure }
            throw .broken(DockerClient.closedEarly)
        }
        let parts = line.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1].prefix(3)) else {
            throw .broken("malformed HTTP response " + String(line.prefix(80)))
        }
        var fields: [(name: String, value: String)] = []
        while true {
            guard let field = try connection.line() else { throw .broken("unexpected EOF") }
            if field.isEmpty { return (status, String(parts[1]), fields) }
            guard let (name, value) = split(field, at: ":"), fields.count < 200 else {
                throw .broken("malformed HTTP header")
            }
            fields.append((name.lowercased(), trimmed(value)))
        }
    }
}

private func trimmed(_ text: String) -> String {
    var bytes = Substring(text).utf8
    while bytes.first == 32 || bytes.first == 9 { bytes.removeFirst() }
    while bytes.last == 32 || bytes.last == 9 { bytes.removeLast() }
    return String(Substring(bytes))
}

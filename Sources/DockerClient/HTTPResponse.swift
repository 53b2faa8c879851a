// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The daemon's answer: status and headers, and a body that is read as it arrives.
package final class HTTPResponse {
    private enum Framing {
        case length(Int)
        case chunked(left: Int)
        case untilClose
        case done
    }

    package let status: Int
    package let reason: String
    package let headers: [(name: String, value: String)]
    let connection: HTTPConnection
    private var framing: Framing
    /// Gives the connection back for the next request.
    private let recycle: (HTTPConnection) -> Void

    init(
        status: Int, reason: String, headers: [(name: String, value: String)], connection: HTTPConnection,
        hasBody: Bool, recycle: @escaping (HTTPConnection) -> Void
    ) throws(ClientError) {
        self.status = status
        self.reason = reason
        self.headers = headers
        self.connection = connection
        self.recycle = recycle
        framing = .untilClose
        if !hasBody {
            framing = .length(0)
        } else if header("transfer-encoding")?.lowercased() == "chunked" {
            framing = .chunked(left: 0)
        } else if let text = header("content-length") {
            guard let length = Int(text), length >= 0 else { throw .broken("malformed Content-Length: " + text) }
            framing = .length(length)
        }
        if case .length(0) = framing { finish() }
    }

    /// The value of a header; names are compared without case.
    package func header(_ name: String) -> String? {
        for header in headers where header.name == name { return header.value }
        return nil
    }

    /// The descriptor, for poll(2).
    package var descriptor: CInt { connection.descriptor }
    package var hasBuffered: Bool { connection.hasBuffered }

    /// The next piece of the body; nil at its end.
    package func read() throws(ClientError) -> [UInt8]? {
        switch framing {
        case .done: return nil
        case .untilClose:
            let bytes = try connection.receive()
            if bytes.isEmpty { framing = .done }
            return bytes.isEmpty ? nil : bytes
        case .length(let left):
            let bytes = try connection.receive(upTo: min(left, 65536))
            if bytes.isEmpty { throw .broken("unexpected EOF") }
            framing = .length(left - bytes.count)
            if left == bytes.count { finish() }
            return bytes
        case .chunked(let left): return try readChunk(left)
        }
    }

    private func readChunk(_ left: Int) throws(ClientError) -> [UInt8]? {
        var left = left
        if left == 0 {
            guard let line = try connection.line() else { throw .broken("unexpected EOF") }
            let digits = line.utf8.prefix { $0 != UInt8(ascii: ";") }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0 else {
                throw .broken("malformed chunked encoding")
            }
            if size == 0 {
                while let trailer = try connection.line(), !trailer.isEmpty {}
                finish()
                return nil
            }
            left = size
        }
        let bytes = try connection.receive(upTo: min(left, 65536))
        if bytes.isEmpty { throw .broken("unexpected EOF") }
        left -= bytes.count
        if left == 0 { _ = try connection.line() }
        framing = .chunked(left: left)
        return bytes
    }

    /// The whole body, at most `limit` bytes.
    package func readAll(limit: Int = 256 << 20) throws(ClientError) -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try read() {
            all += piece
            if all.count > limit { throw .broken("the answer is larger than \(limit) bytes") }
        }
        return all
    }

    package func json() throws(ClientError) -> JSONValue {
        let bytes = try readAll()
        do throws(JSONError) { return try JSONValue(parsing: bytes) } catch {
            throw .broken("invalid JSON from the daemon: " + error.description)
        }
    }

    private func finish() {
        framing = .done
        if header("connection")?.lowercased() != "close" { recycle(connection) }
    }
}

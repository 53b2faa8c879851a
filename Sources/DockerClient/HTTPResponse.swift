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
        let limit = try expected()
        if limit == 0 { return nil }
        let bytes = try connection.receive(upTo: min(limit, 65536))
        try count(bytes.count)
        return bytes.isEmpty ? nil : bytes
    }

    /// Fills some of `buffer`; 0 is the body's end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ClientError) -> Int {
        let limit = try expected()
        if limit == 0 { return 0 }
        let received = try connection.receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(limit)))
        try count(received)
        return received
    }

    /// How many bytes of the body come next, one after another; 0 at its end.
    private func expected() throws(ClientError) -> Int {
        switch framing {
        case .done: 0
        case .untilClose: .max
        case .length(let left): left
        case .chunked(let left): left > 0 ? left : try nextChunk()
        }
    }

    private func nextChunk() throws(ClientError) -> Int {
        guard let line = try connection.line() else { throw .broken("unexpected EOF") }
        let digits = line.utf8.prefix { $0 != UInt8(ascii: ";") }
        guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0 else {
            throw .broken("malformed chunked encoding")
        }
        framing = .chunked(left: size)
        if size == 0 {
            while let trailer = try connection.line(), !trailer.isEmpty {}
            finish()
        }
        return size
    }

    /// So many of the expected bytes have come; none if the connection has ended.
    private func count(_ received: Int) throws(ClientError) {
        switch framing {
        case .done: break
        case .untilClose: if received == 0 { framing = .done }
        case .length(let left):
            if received == 0 { throw .broken("unexpected EOF") }
            framing = .length(left - received)
            if left == received { finish() }
        case .chunked(let left):
            if received == 0 { throw .broken("unexpected EOF") }
            framing = .chunked(left: left - received)
            if left == received { _ = try connection.line() }
        }
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

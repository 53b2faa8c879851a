// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import NIOCore

/// Writes responses in the form that Go's server gives them.
struct ResponseWriter: Sendable {
    let output: ByteOutlet
    /// The answer to HEAD has the head of the answer to GET and no body.
    let omitsBody: Bool
    let minorVersion: Int
    /// Fields of every response (`Api-Version`, `Server`, …).
    let commonHeaders: [(name: String, value: String)]

    /// A response whose body is known.
    func write(
        _ status: Status, contentType: String?, headers: [(name: String, value: String)], body: [UInt8],
        keepsAlive: Bool
    ) async throws {
        var fields = commonHeaders + headers
        if let contentType { fields.append(("Content-Type", contentType)) }
        fields.append(("Date", httpDate(.now)))
        if !status.isBodiless { fields.append(("Content-Length", String(body.count))) }
        fields += connectionField(keepsAlive)
        var buffer = ByteBuffer(string: head(status, fields))
        if !omitsBody, !status.isBodiless { buffer.writeBytes(body) }
        try await output.write(buffer)
    }

    /// The head of a response whose body of so many bytes follows.
    func writeSizedHead(
        _ status: Status, contentType: String, length: Int64, headers: [(name: String, value: String)], keepsAlive: Bool
    ) async throws {
        let own = [("Content-Type", contentType), ("Date", httpDate(.now)), ("Content-Length", String(length))]
        try await output.write(head(status, commonHeaders + headers + own + connectionField(keepsAlive)))
    }

    /// The head of a response of unknown length; `isChunked` is false for an HTTP/1.0 client, which reads until the
    /// connection closes.
    func writeStreamHead(
        _ status: Status, contentType: String, headers: [(name: String, value: String)], keepsAlive: Bool
    ) async throws {
        var fields = commonHeaders + headers
        fields += [("Content-Type", contentType), ("Date", httpDate(.now))]
        if isChunked { fields.append(("Transfer-Encoding", "chunked")) }
        fields += connectionField(keepsAlive && isChunked)
        try await output.write(head(status, fields))
    }

    var isChunked: Bool { minorVersion >= 1 }

    /// Docker's answer to a hijack, in its order; the common fields come last, as there.
    func writeHijackHead(contentType: String, upgrades: Bool) async throws {
        var fields: [(name: String, value: String)] = [("Content-Type", contentType)]
        if upgrades { fields += [("Connection", "Upgrade"), ("Upgrade", "tcp")] + commonHeaders }
        try await output.write(head(upgrades ? Status(101) : .ok, fields))
    }

    func writeUpgradeHead(_ fields: [(name: String, value: String)]) async throws {
        try await output.write(
            "HTTP/1.1 101 Switching Protocols\r\n" + fields.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\n")
    }

    func writeContinue() async throws {
        try await output.write("HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// As Go's server refuses what is not HTTP: plain text, without docker's fields.
    func writeRefusal(_ error: RequestError) async throws {
        let text = "\(error.status.code) \(error.status.reason): \(error.reason)"
        let fields = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
        try await output.write(head(error.status, fields) + text)
    }

    private func connectionField(_ keepsAlive: Bool) -> [(name: String, value: String)] {
        if !keepsAlive { return [("Connection", "close")] }
        return minorVersion == 0 ? [("Connection", "keep-alive")] : []
    }

    private func head(_ status: Status, _ fields: [(name: String, value: String)]) -> String {
        var text = "HTTP/1.\(minorVersion) \(status.code) \(status.reason)\r\n"
        for field in fields { text += field.name + ": " + withoutControls(field.value) + "\r\n" }
        return text + "\r\n"
    }

    /// A value may come from a client or an image: it must not be able to begin a line of its own.
    private func withoutControls(_ value: String) -> String {
        if value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) { return value }
        return String(decoding: value.utf8.map { $0 >= 32 && $0 != 127 ? $0 : 32 }, as: UTF8.self)
    }
}

/// The body of a streamed response, in chunks or (HTTP/1.0) as it is.
struct StreamBodyWriter: BodyWriter {
    let output: ByteOutlet
    let isChunked: Bool
    let isDiscarding: Bool

    func write(_ bytes: [UInt8]) async throws {
        if bytes.isEmpty || isDiscarding { return }  // an empty chunk would end the body
        guard isChunked else { return try await output.writePart(ByteBuffer(bytes: bytes)) }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes.count + 20)
        buffer.writeString(String(bytes.count, radix: 16) + "\r\n")
        buffer.writeBytes(bytes)
        buffer.writeString("\r\n")
        try await output.writePart(buffer)
    }

    var socket: BodySocket? {
        guard !isDiscarding, let client = output.socket else { return nil }
        return BodySocket(client: client, isChunked: isChunked)
    }

    func finish() async throws {
        if isChunked, !isDiscarding { try await output.write(ByteBuffer(string: "0\r\n\r\n")) }
    }
}

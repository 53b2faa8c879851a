// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What a handler answers.
package enum Response: Sendable {
    /// A JSON document and a newline, as docker writes it.
    case json(Status, JSONValue)
    case empty(Status)
    case text(Status, String)
    case bytes(Status, contentType: String, [UInt8])
    /// A body of so many bytes, no more and no less, which the closure writes; `stream`'s other rules hold.
    case sized(Status, contentType: String, length: Int64, @Sendable (any BodyWriter) async throws -> Void)
    /// A body of unknown length. The head goes out at once, before the closure runs, because clients act on it
    /// (`docker run` starts the container only when the head of `/wait` has come). The closure is cancelled when the
    /// client goes away. If it throws, the connection is cut so that the client notices.
    case stream(Status, contentType: String, @Sendable (any BodyWriter) async throws -> Void)
    /// The connection becomes a plain byte stream: `101 UPGRADED` if the client asked for an upgrade, else `200 OK`.
    case hijack(contentType: String, @Sendable (HijackedStream) async throws -> Void)
    /// The connection becomes a plain byte stream of another protocol: `101 Switching Protocols` with these fields.
    case upgrade([(name: String, value: String)], @Sendable (HijackedStream) async throws -> Void)
    /// Another response with more header fields.
    indirect case with(headers: [(name: String, value: String)], Response)

    /// The status that goes out; of a connection that becomes something else, 101.
    package var status: Status {
        switch self {
        case .json(let status, _), .empty(let status), .text(let status, _), .bytes(let status, _, _),
            .sized(let status, _, _, _), .stream(let status, _, _):
            status
        case .hijack, .upgrade: Status(101)
        case .with(_, let inner): inner.status
        }
    }

    /// The same response with one more header field.
    package func adding(_ name: String, _ value: String) -> Response { .with(headers: [(name, value)], self) }
}

/// Where the body of a streamed response goes. `write` suspends while the client does not read, and throws when it has
/// gone.
package protocol BodyWriter: Sendable {
    func write(_ bytes: [UInt8]) async throws
    /// For a thread that writes the body, or parts of it, while `write` is not used; nil where only `write` will do.
    var socket: BodySocket? { get }
}

extension BodyWriter {
    package var socket: BodySocket? { nil }

    package func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    /// One line of a stream of JSON documents.
    package func writeLine(_ value: JSONValue) async throws {
        try await write(value.bytes(JSONFormat(escapesHTML: true)) + [13, 10])
    }
}

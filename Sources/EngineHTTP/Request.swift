// SPDX-License-Identifier: Apache-2.0
package import Engine
package import HTTPServer
package import JSON

/// One request as a handler sees it. The body is read on demand; what a handler leaves unread is skipped after it.
package struct Request: Sendable {
    package var method: HTTPMethod
    /// Decoded, and without the version.
    package var path: String
    package var version: APIVersion
    package var query: Query
    package var headers: HeaderFields
    package var body: RequestBody
    /// Whether the client sent `Connection: Upgrade` and so understands a 101.
    package var wantsUpgrade: Bool
    var parameters: [(name: String, value: String)] = []

    /// What the route's pattern matched for `{name}`.
    package func parameter(_ name: String) throws(EngineError) -> String {
        for parameter in parameters where parameter.name == name { return parameter.value }
        throw .internal("the route \(path) has no parameter \(name)")
    }

    /// The body as JSON; `.null` if there is none. Wrong content type and malformed JSON are refused as docker does.
    package func json(limit: Int = 8 << 20) async throws -> JSONValue {
        try checkContentType()
        let bytes = try await body.collect(upTo: limit)
        if bytes.isEmpty {
            if body.isAnnounced {
                throw EngineError.invalidArgument("invalid JSON: got EOF while reading request body")
            }
            return .null
        }
        do throws(JSONError) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw EngineError.invalidArgument(Self.goText(error.message))
        }
    }

    /// What Go's decoder says of a stream.
    private static func goText(_ message: String) -> String {
        if message == "unexpected end of JSON input" { return "invalid JSON: unexpected EOF" }
        return message.hasSuffix(" after top-level value")
            ? "unexpected content after JSON" : "invalid JSON: " + message
    }

    private func checkContentType() throws(EngineError) {
        let type = headers["Content-Type"] ?? ""
        if type.isEmpty {
            if !body.isAnnounced { return }
            throw .invalidArgument("malformed Content-Type header (): mime: no media type")
        }
        let media = type.split(separator: ";", maxSplits: 1).first.map { trimmed(String($0)).lowercased() }
        if media == "application/json" { return }
        throw .invalidArgument("unsupported Content-Type header (\(type)): must be 'application/json'")
    }
}

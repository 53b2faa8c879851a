// SPDX-License-Identifier: Apache-2.0

/// How the body of a request is delimited (RFC 9112 §6.3).
enum BodyFraming: Sendable, Equatable {
    case none
    case length(UInt64)
    case chunked
}

/// The request line and the header fields, checked.
struct RequestHead: Sendable, Equatable {
    var method: String
    /// As sent, without scheme and authority.
    var target: String
    /// 0 or 1: the minor version of HTTP/1.
    var minorVersion: Int
    var headers: HeaderFields
    var framing: BodyFraming

    /// Whether the client lets the connection be used again.
    var keepsAlive: Bool {
        let options = headers.tokens("Connection")
        if options.contains("close") { return false }
        return minorVersion >= 1 || options.contains("keep-alive")
    }

    var wantsUpgrade: Bool { headers.tokens("Connection").contains("upgrade") && headers["Upgrade"] != nil }

    var expectsContinue: Bool { minorVersion >= 1 && headers.tokens("Expect").contains("100-continue") }

    var path: Substring { target.prefix { $0 != "?" } }

    var query: Substring { target.drop { $0 != "?" }.dropFirst() }
}

/// Why bytes are not a request, and the status to refuse them with. After it the connection cannot go on.
struct RequestError: Error, Sendable, Equatable {
    var status: Status
    var reason: String

    init(_ status: Status, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    init(_ reason: String) { self.init(.badRequest, reason) }
}

// SPDX-License-Identifier: Apache-2.0

/// How the body of a request is delimited (RFC 9112 §6.3).
package enum BodyFraming: Sendable, Equatable {
    case none
    case length(UInt64)
    case chunked

    /// As the head says; 0 if it does not.
    var length: UInt64 {
        if case .length(let length) = self { return length }
        return 0
    }
}

/// The request line and the header fields, checked.
package struct RequestHead: Sendable, Equatable {
    package var method: String
    /// As sent, without scheme and authority.
    package var target: String
    /// 0 or 1: the minor version of HTTP/1.
    package var minorVersion: Int
    package var headers: HeaderFields
    package var framing: BodyFraming
    /// The common name in the certificate that the client has shown; empty without one.
    package var peerName = ""

    /// Whether the client lets the connection be used again.
    package var keepsAlive: Bool {
        let options = headers.tokens("Connection")
        if options.contains("close") { return false }
        return minorVersion >= 1 || options.contains("keep-alive")
    }

    /// docker does not ask for `Connection: Upgrade`, either.
    package var wantsUpgrade: Bool { headers["Upgrade"] != nil }

    package var expectsContinue: Bool { minorVersion >= 1 && headers.tokens("Expect").contains("100-continue") }

    package var path: Substring { target.prefix { $0 != "?" } }

    package var query: Substring { target.drop { $0 != "?" }.dropFirst() }
}

/// Why bytes are not a request, and the status to refuse them with. After it the connection cannot go on.
package struct RequestError: Error, Sendable, Equatable, CustomStringConvertible {
    package var status: Status
    package var reason: String

    package init(_ status: Status, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    package init(_ reason: String) { self.init(.badRequest, reason) }

    package var description: String { reason }
}

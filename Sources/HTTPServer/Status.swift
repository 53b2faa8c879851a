// SPDX-License-Identifier: Apache-2.0

/// An HTTP status code with the reason phrase that Go's server sends for it.
package struct Status: Sendable, Equatable {
    package var code: Int

    package init(_ code: Int) { self.code = code }

    package static let ok = Status(200)
    package static let created = Status(201)
    package static let accepted = Status(202)
    package static let noContent = Status(204)
    package static let partialContent = Status(206)
    package static let movedPermanently = Status(301)
    package static let notModified = Status(304)
    package static let badRequest = Status(400)
    package static let unauthorized = Status(401)
    package static let forbidden = Status(403)
    package static let notFound = Status(404)
    package static let methodNotAllowed = Status(405)
    package static let conflict = Status(409)
    package static let contentTooLarge = Status(413)
    package static let rangeNotSatisfiable = Status(416)
    package static let headerTooLarge = Status(431)
    package static let internalServerError = Status(500)
    package static let notImplemented = Status(501)
    package static let serviceUnavailable = Status(503)
    package static let insufficientStorage = Status(507)
    package static let versionNotSupported = Status(505)

    /// Whether such a response has no body by definition (RFC 9110 §6.4.1).
    var isBodiless: Bool { code == 204 || code == 304 || code < 200 }

    package var reason: String {
        switch code {
        case 100: "Continue"
        case 101: "UPGRADED"  // docker's own phrase, which its clients have seen for ever
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 413: "Request Entity Too Large"
        case 416: "Requested Range Not Satisfiable"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Status \(code)"
        }
    }
}

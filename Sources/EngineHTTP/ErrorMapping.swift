// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer

extension ErrorKind {
    /// The one place where a kind of error becomes an HTTP status.
    var status: Status {
        switch self {
        case .notFound: .notFound
        case .alreadyExists, .conflict, .failedPrecondition: .conflict
        case .invalidArgument: .badRequest
        case .unauthenticated: .unauthorized
        case .permissionDenied: .forbidden
        case .unavailable: .serviceUnavailable
        case .notModified: .notModified
        case .unimplemented: .notImplemented
        case .cancelled: .internalServerError
        case .deadlineExceeded: Status(504)
        case .internal: .internalServerError
        }
    }
}

extension EngineError {
    /// docker's error body with the kind's status; a 304 has none.
    var response: Response { kind == .notModified ? .empty(.notModified) : .message(kind.status, message) }
}

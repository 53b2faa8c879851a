// SPDX-License-Identifier: Apache-2.0
import JSON
package import LinuxSystem
package import OCISpec

/// Why a registry did not give what was asked for. `serviceError` has docker's words for it.
package enum RegistryError: Error, Sendable, Equatable {
    /// The registry refused: HTTP status and the first error of its answer (distribution-spec "Error Codes"), and after
    /// how many seconds it may be asked again, if it says so (RFC 9110 §10.2.3).
    case refused(status: Int, code: String, message: String, retryAfter: Int? = nil)
    /// No answer: `operation` is the request as Go prints it.
    case unreachable(operation: String, reason: String)
    /// The registry wants a password and there is none.
    case noCredentials(operation: String)
    /// The registry does not take a user's credentials.
    case loginRefused(url: String, status: String)
    /// The answer makes no sense, or is not what it claims to be.
    case invalidResponse(String)

    /// Whether another try may help.
    var isTransient: Bool {
        switch self {
        case .refused(let status, _, _, _): status == 429 || status == 408 || status >= 500
        case .unreachable: true
        case .invalidResponse, .noCredentials, .loginRefused: false
        }
    }

    /// `manifest unknown: manifest unknown`: the code in words, and the registry's message.
    package var cause: String {
        switch self {
        case .refused(let status, let code, let message, _):
            let words = code.lowercased().replacing("_", with: " ")
            if code.isEmpty {
                return "received unexpected HTTP status: \(status)\(message.isEmpty ? "" : " " + message)"
            }
            return message.isEmpty ? words : words + ": " + message
        case .unreachable(let operation, let reason): return operation + ": " + reason
        case .noCredentials(let operation): return operation + ": no basic auth credentials"
        case .loginRefused(let url, let status): return "login attempt to \(url) failed with status: \(status)"
        case .invalidResponse(let text): return text
        }
    }

    /// The failure to get `reference`, as docker tells it.
    package func serviceError(for reference: ImageReference) -> ServiceError {
        switch self {
        case .refused(_, "DENIED", _, _), .refused(_, "INSUFFICIENT_SCOPE", _, _):
            ServiceError(
                .notFound,
                "pull access denied for \(reference.familiarName), repository does not exist or may require"
                    + " 'docker login': \(cause)")
        case .refused(_, "MANIFEST_UNKNOWN", _, _):
            ServiceError(.notFound, "manifest for \(reference.taggedByDefault.familiar) not found: \(cause)")
        case .refused(_, "NAME_UNKNOWN", _, _):
            ServiceError(.notFound, "repository \(reference.familiarName) not found: \(cause)")
        case .refused(404, _, _, _):
            ServiceError(.notFound, "manifest for \(reference.taggedByDefault.familiar) not found: \(cause)")
        case .refused(401, _, _, _), .noCredentials: ServiceError(.unauthenticated, cause)
        case .refused(403, _, _, _): ServiceError(.permissionDenied, cause)
        case .refused(429, _, _, _), .unreachable: ServiceError(.unavailable, cause)
        case .refused, .invalidResponse, .loginRefused: ServiceError(.internal, cause)
        }
    }

    /// The failure to push, as docker tells it: the registry's own words.
    package var pushError: ServiceError {
        switch self {
        case .refused(401, _, _, _), .noCredentials: ServiceError(.unauthenticated, cause)
        case .refused(403, _, _, _), .refused(_, "DENIED", _, _): ServiceError(.permissionDenied, cause)
        case .refused(404, _, _, _): ServiceError(.notFound, cause)
        case .refused(429, _, _, _), .unreachable: ServiceError(.unavailable, cause)
        case .refused, .invalidResponse, .loginRefused: ServiceError(.internal, cause)
        }
    }

    /// Reads the body of an error answer.
    static func refusal(status: Int, body: [UInt8], retryAfter: Int? = nil) -> RegistryError {
        let first = (try? JSONValue(parsing: body, maximumDepth: 32))?["errors"]?.array?.first
        let code = first?["code"]?.string ?? defaultCode(status)
        let message = first?["message"]?.string ?? defaultMessage(code)
        return .refused(
            status: status, code: String(code.prefix(100)), message: String(message.prefix(1000)),
            retryAfter: retryAfter)
    }

    private static func defaultCode(_ status: Int) -> String {
        switch status {
        case 401: "UNAUTHORIZED"
        case 403: "DENIED"
        case 429: "TOOMANYREQUESTS"
        default: ""
        }
    }

    private static func defaultMessage(_ code: String) -> String {
        switch code {
        case "UNAUTHORIZED": "authentication required"
        case "DENIED": "requested access to the resource is denied"
        case "TOOMANYREQUESTS": "too many requests"
        default: ""
        }
    }
}

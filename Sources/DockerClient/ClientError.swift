// SPDX-License-Identifier: Apache-2.0

/// Why a request to the daemon gave no answer, or a refusal.
package enum ClientError: Error, Sendable, Equatable {
    case badHost(String)
    case cannotConnect(host: String)
    case permissionDenied(host: String)
    /// The daemon answered with an error status.
    case daemon(status: Int, message: String)
    /// The connection or its protocol broke.
    case broken(String)
    /// What was to be sent could not be read.
    case source(String)
    /// A file of the client's configuration is wrong.
    case configuration(String)

    /// The text for the user, in docker's words where scripts look for them.
    package var message: String {
        switch self {
        case .badHost(let text), .broken(let text), .source(let text), .configuration(let text): text
        case .cannotConnect(let host):
            "Cannot connect to the Docker daemon at " + host + ". Is the docker daemon running?"
        case .permissionDenied(let host):
            "permission denied while trying to connect to the Docker daemon socket at " + host
        case .daemon(_, let message): "Error response from daemon: " + message
        }
    }

    /// The HTTP status of the daemon's refusal.
    package var status: Int? {
        guard case .daemon(let status, _) = self else { return nil }
        return status
    }
}

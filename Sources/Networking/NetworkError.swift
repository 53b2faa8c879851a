// SPDX-License-Identifier: Apache-2.0

/// What went wrong with a network, an endpoint or a published port. The kinds are the ones that cross wires; the text
/// is docker's where docker has one.
package struct NetworkError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        case notFound, alreadyExists, invalidArgument, conflict, permissionDenied, unimplemented, `internal`
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

extension NetworkError {
    /// docker's refusal of a container on what is no network (`--config-only`).
    static let configurationOnly = NetworkError(
        .permissionDenied, "cannot create endpoint on configuration-only network")

    /// docker's refusal of networks that span machines.
    static let needsSwarm = NetworkError(
        .permissionDenied,
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm "
            + "and try again.")

    /// docker's refusal of an endpoint's settings, for all reasons at once.
    init(invalidEndpointOn network: NetworkRecord, _ reasons: [String]) {
        self.init(
            .invalidArgument,
            "invalid config for network \(network.name): invalid endpoint settings:\n" + Self.list(reasons))
    }

    /// One reason as it is, several as docker lists them.
    package static func list(_ reasons: [String]) -> String {
        reasons.count == 1 ? reasons[0] : reasons.map { "* " + $0 }.joined(separator: "\n")
    }
}

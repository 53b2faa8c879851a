// SPDX-License-Identifier: Apache-2.0
package import Engine
package import HTTPServer
package import LinuxSystem
package import Logging

package typealias RouteHandler = @Sendable (Request) async throws -> Response

/// The routes of the Engine API, by docker's patterns.
package typealias Router = PathRouter<RouteHandler>

/// The Engine API on sockets that are already listening.
package struct APIServer: Sendable {
    private let dispatcher: Dispatcher
    private let server: HTTPServer

    /// - Parameters:
    ///   - authorization: asked before and after each request.
    ///   - isExperimental: what clients are told, so that they offer checkpoints.
    ///   - labels: of a container by its reference, for policies that depend on them; nil if there is none.
    package init(
        router: Router, logger: Logger, authorization: AuthorizationPlugins? = nil, isExperimental: Bool = false,
        labels: @escaping SocketPolicy.LabelLookup = { _ in nil }
    ) {
        dispatcher = Dispatcher(
            router: router, logger: logger, authorization: authorization, isExperimental: isExperimental, labels: labels
        )
        server = HTTPServer(logger: logger)
    }

    /// Accepts connections until the task is cancelled; then no new ones are taken and the open ones are cut.
    ///
    /// - Parameters:
    ///   - tls: nil serves plain HTTP.
    ///   - policy: what clients of this socket may do.
    package func serve(
        _ listener: consuming OwnedFD, tls: ServerTLS? = nil, policy: SocketPolicy = .full
    ) async throws {
        try await server.serve(listener, tls: tls, by: dispatcher.under(policy))
    }

    package func shutDown() async { await server.shutDown() }
}

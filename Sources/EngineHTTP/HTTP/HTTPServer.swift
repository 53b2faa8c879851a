// SPDX-License-Identifier: Apache-2.0
package import Engine
package import LinuxSystem
package import Logging
import NIOCore
import NIOPosix

/// The Engine API on sockets that are already listening.
package struct HTTPServer: Sendable {
    private let dispatcher: Dispatcher
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger

    /// - Parameters:
    ///   - threads: event loop threads; they only move bytes.
    ///   - authorization: asked before and after each request.
    ///   - labels: of a container by its reference, for policies that depend on them; nil if there is none.
    package init(
        router: Router, logger: Logger, threads: Int = 1, authorization: AuthorizationPlugins? = nil,
        labels: @escaping SocketPolicy.LabelLookup = { _ in nil }
    ) {
        self.dispatcher = Dispatcher(router: router, logger: logger, authorization: authorization, labels: labels)
        self.group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        self.logger = logger
    }

    /// Accepts connections until the task is cancelled; then no new ones are taken and the open ones are cut.
    ///
    /// - Parameters:
    ///   - tls: nil serves plain HTTP.
    ///   - policy: what clients of this socket may do.
    package func serve(
        _ listener: consuming OwnedFD, tls: ServerTLS? = nil, policy: SocketPolicy = .full
    ) async throws {
        let server = try await bootstrap().bind(listener.relinquish()) { channel in
            channel.eventLoop.makeCompletedFuture { try Self.accept(channel, tls) }
        }
        do {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { tasks in
                    for try await accepted in connections {
                        tasks.addTask { await serve(accepted, policy) }
                    }
                }
            }
        } catch is CancellationError {
            return  // that is how a server ends
        }
    }

    package func shutDown() async { _ = try? await group.shutdownGracefully() }

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.autoRead, value: false)
    }

    private struct Accepted: Sendable {
        var channel: any Channel
        var inlet: ByteInlet
        var closing = ClosingSignal()
        var gone = ClosingSignal()
    }

    private static func accept(_ channel: any Channel, _ tls: ServerTLS?) throws -> Accepted {
        let accepted = Accepted(channel: channel, inlet: ByteInlet(channel))
        try tls?.addHandlers(to: channel)
        try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(accepted.inlet, closing: accepted.closing, gone: accepted.gone))
        return accepted
    }

    private func serve(_ accepted: Accepted, _ policy: SocketPolicy) async {
        let connection = Connection(
            dispatcher: dispatcher.under(policy), reader: ConnectionReader(accepted.inlet),
            output: ByteOutlet(channel: accepted.channel), closing: accepted.closing, gone: accepted.gone,
            logger: logger)
        await withTaskCancellationHandler {
            await connection.run()
        } onCancel: {
            accepted.channel.close(promise: nil)  // a write to a client that does not read ends by this only
        }
        try? await accepted.channel.close()
    }
}

// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import Logging
import NIOCore
import NIOPosix

/// Serves HTTP/1.1 on sockets that are already listening.
package struct HTTPServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger

    /// - Parameter threads: event loop threads; they only move bytes.
    package init(logger: Logger, threads: Int = 1) {
        self.group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        self.logger = logger
    }

    /// Accepts connections until the task is cancelled; then no new ones are taken and the open ones are cut.
    ///
    /// - Parameters:
    ///   - tls: nil serves plain HTTP.
    ///   - limits: what clients may cost; none for those that are trusted.
    ///   - responder: answers the requests.
    package func serve(
        _ listener: consuming OwnedFD, tls: ServerTLS? = nil, limits: ConnectionLimits = ConnectionLimits(),
        by responder: any Responder
    ) async throws {
        let places = ConnectionPlaces(limits.connections)
        let server = try await bootstrap().bind(listener.relinquish()) { channel in
            channel.eventLoop.makeCompletedFuture { try Self.accept(channel, tls, limits) }
        }
        do {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { tasks in
                    for try await accepted in connections {
                        guard places.take() else {
                            accepted.channel.close(promise: nil)
                            continue
                        }
                        tasks.addTask {
                            await serve(accepted, responder)
                            places.giveBack()
                        }
                    }
                }
            }
        } catch is CancellationError {
            return  // that is how a server ends
        }
    }

    package func shutDown() async { _ = try? await group.shutdownGracefully() }

    /// How much is read at once: little for a request, much of a long body, each piece of which changes threads twice.
    private static let pieces = AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 2048, maximum: 256 << 10)

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.recvAllocator, value: Self.pieces)
    }

    private struct Accepted: Sendable {
        var channel: any Channel
        var isEncrypted: Bool
        var inlet: ByteInlet
        var socket: ClientSocket?
        var closing = ClosingSignal()
        var gone = ClosingSignal()
    }

    private static func accept(_ channel: any Channel, _ tls: ServerTLS?, _ limits: ConnectionLimits) throws -> Accepted
    {
        let accepted = Accepted(
            channel: channel, isEncrypted: tls != nil, inlet: ByteInlet(channel),
            socket: tls == nil ? ClientSocket.of(channel) : nil)
        try tls?.addHandlers(to: channel)
        if let idle = limits.idle {
            try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: TimeAmount(idle)))
        }
        try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(
                accepted.inlet, accepted.socket, closing: accepted.closing, gone: accepted.gone))
        return accepted
    }

    private func serve(_ accepted: Accepted, _ responder: any Responder) async {
        let connection = Connection(
            responder: responder, reader: ConnectionReader(accepted.inlet),
            output: ByteOutlet(channel: accepted.channel, socket: accepted.socket), closing: accepted.closing,
            gone: accepted.gone, logger: logger
        ) {
            accepted.isEncrypted ? await PeerName.of(accepted.channel) : ""
        }
        await withTaskCancellationHandler {
            await connection.run()
        } onCancel: {
            accepted.channel.close(promise: nil)  // a write to a client that does not read ends by this only
        }
        try? await accepted.channel.close()
    }
}

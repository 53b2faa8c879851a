// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Glibc
package import LinuxSystem
import NIOCore

/// The gRPC server on the supervisor's socket.
package struct SupervisorServer: Sendable {
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let path: FilePath
    /// The socket's directory, through which a path is reached that is too long for a socket address; -1 if not needed.
    private let directory: CInt

    /// The largest message taken from a client; containerd's clients keep below this.
    private static let maximumMessage = 16 << 20
    /// What `sun_path` holds without its end mark.
    private static let longestPath = 107

    package init(path: FilePath, handlers: RPCHandlerTable) throws {
        self.path = path
        var short = path.string
        if short.utf8.count > Self.longestPath {
            directory = try open(path.parent, O_PATH | O_DIRECTORY).relinquish()  // open as long as we serve
            short = "/proc/self/fd/\(directory)/\(path.lastComponent)"
        } else {
            directory = -1
        }
        let transport = HTTP2ServerTransport.Posix(
            address: .unixDomainSocket(path: short), transportSecurity: .plaintext,
            config: .defaults { config in
                config.rpc.maxRequestPayloadSize = Self.maximumMessage
                config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(PingResponder(), position: .first)
                    }
                }
            })
        server = GRPCServer(transport: transport, services: [HandlerTableService(handlers)])
    }

    /// Binds the socket, replacing a stale one, calls `onReady`, and serves until `stop`.
    package func serve(onReady: @escaping @Sendable () throws -> Void) async throws {
        if exists(path) { try removeFile(path) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            group.addTask {
                guard try await server.listeningAddress != nil else { return }
                try sys("chmod", path.string) { chmod(path.string, 0o660) }  // with our umask it was 0755: root's only
                try onReady()
            }
            try await group.waitForAll()
        }
        if directory >= 0 { close(directory) }
    }

    /// Accepts no more; calls that run may end.
    package func stop() { server.beginGracefulShutdown() }
}

// SPDX-License-Identifier: Apache-2.0
// RegistryServer: the OCI distribution-spec's API (v1.1) over a content store (docs/registry.md).
//
//   HTTPServer → RegistryResponder (who, which route, may they) → Routes/ → RegistryStore, Uploads
package import HTTPServer
import LinuxSystem
package import Logging

/// What the clients of a registry may do.
package struct RegistryOptions: Sendable {
    package var allowsDelete = false
    package var isReadOnly = false
    /// nil lets everybody in.
    package var users: Htpasswd?

    package init() {}
}

/// A registry on sockets that are already listening.
package struct RegistryServer: Sendable {
    private let server: HTTPServer
    private let responder: RegistryResponder
    private let uploads: Uploads
    private let logger: Logger

    package init(_ store: RegistryStore, _ options: RegistryOptions, logger: Logger) {
        uploads = Uploads(store)
        responder = RegistryResponder(store, uploads, options, logger)
        server = HTTPServer(logger: logger, threads: 2)
        self.logger = logger
    }

    /// Clients are strangers: one that stops talking is hung up on. Each may have a blob open, too, and together they stay
    /// within the 1024 descriptors that a process usually gets.
    private static let limits = ConnectionLimits(connections: 400, idle: .seconds(120))

    /// Serves until the task is cancelled.
    ///
    /// - Parameter sockets: descriptors, which this takes over.
    package func serve(_ sockets: [CInt], tls: ServerTLS?) async throws {
        try await withThrowingDiscardingTaskGroup { tasks in
            for socket in sockets {
                tasks.addTask {
                    try await server.serve(OwnedFD(owning: socket), tls: tls, limits: Self.limits, by: responder)
                }
            }
            tasks.addTask { await expireUploads() }
        }
        await server.shutDown()
    }

    private func expireUploads() async {
        while !Task.isCancelled {
            do { try await uploads.expire() } catch {
                logger.warning("unfinished uploads were not cleared away", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .seconds(3600))
        }
    }
}

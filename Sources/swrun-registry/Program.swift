// SPDX-License-Identifier: Apache-2.0
import Glibc
import HTTPServer
import LinuxSystem
import Logging
import RegistryServer

/// The registry from its options to its end.
struct Program: Sendable {
    private let server: RegistryServer
    private let sockets: [CInt]
    private let tls: ServerTLS?
    private let log: Logger

    /// Opens the store and the sockets.
    init(_ options: ServeOptions) throws {
        var log = Logger(label: "registry") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = options.logLevel
        self.log = log
        umask(0o077)
        var registry = RegistryOptions()
        registry.allowsDelete = options.allowsDelete
        registry.isReadOnly = options.isReadOnly
        if !options.htpasswd.isEmpty { registry.users = try Htpasswd(FilePath(options.htpasswd)) }
        tls =
            options.certificate.isEmpty
            ? nil : try ServerTLS(certificate: options.certificate, key: options.key, authority: nil)
        let store = try RegistryStore(root: options.root)
        sockets = try TCPListening.open(host: options.host, port: options.port)
        server = RegistryServer(store, registry, logger: log)
        log.info("listening", metadata: ["address": "\(options.host):\(options.port)"])
        if !TCPListening.isLocal(options.host), !options.isReadOnly, registry.users == nil {
            log.warning("whoever reaches this address may push: --htpasswd names users, --read-only lets nobody")
        }
    }

    /// Serves until the task is cancelled, then ends the process.
    func run() async -> Never {
        do {
            try await server.serve(sockets, tls: tls)
            log.info("stopped")
            exit(0)
        } catch {
            fail(error)
        }
    }

    /// Cleans a store that no registry uses, and says what went.
    static func collectGarbage(_ root: FilePath, untagged: Bool) throws {
        let collected = try RegistryStore(root: root).collectGarbage(untagged: untagged)
        let text = "removed \(collected.manifests) manifests and \(collected.blobs) blobs\n"
        try StandardStreams.write(1, Array(text.utf8))
    }
}

// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import Glibc
import LinuxSystem
import Logging
import Supervisor
import SupervisorGRPC
import Synchronization
import Threads

/// The life of the supervisor: lock, recover, serve, end.
final class Daemon: Sendable {
    private let configuration: SupervisorConfiguration
    private let log: Logger
    private let rootLock: FileLock
    private let stateLock: FileLock
    private let supervisor: Supervisor
    private let grpc: SupervisorServer
    private let isStopping = Mutex(false)

    /// Makes the directories, takes them for this process, and opens the stores.
    init(_ options: Options) throws {
        configuration = options.configuration
        var log = Logger(label: "supervisor") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = options.logLevel
        self.log = log
        umask(0o022)
        try makeDirectories(configuration.root, mode: 0o710)
        try makeDirectories(configuration.state, mode: 0o711)
        try makeDirectories(configuration.address.parent, mode: 0o711)
        rootLock = try FileLock(configuration.root / "supervisor.lock")
        stateLock = try FileLock(configuration.state / "supervisor.lock")
        supervisor = try Supervisor(configuration, log: log)
        grpc = try SupervisorServer(path: configuration.address, handlers: supervisor.handlers)
        try writeFileAtomically(pidFile, Array("\(getpid())\n".utf8), mode: 0o644)
    }

    /// Beside the socket: `supervisor.pid` for `supervisor.sock`.
    private var pidFile: FilePath {
        let address = configuration.address.string
        return FilePath((address.hasSuffix(".sock") ? String(address.dropLast(5)) : address) + ".pid")
    }

    private var ttrpcAddress: FilePath { FilePath(configuration.address.string + ".ttrpc") }

    /// Serves until `stop`, then ends the process. Containers and their shims are not touched.
    func run() async -> Never {
        do {
            await supervisor.recover()  // before anybody can ask for tasks
            let ttrpc = try TTRPCServer.listen(path: ttrpcAddress, handlers: supervisor.handlers)
            try await grpc.serve { [log, configuration] in
                log.info("serving", metadata: ["address": "\(configuration.address.string)"])
            }
            ttrpc.stop()
            for path in [configuration.address, ttrpcAddress, pidFile] { try? removeFile(path) }
            log.info("stopped")
            exit(0)
        } catch {
            fail(error)
        }
    }

    /// Reads signals for ever. The first SIGTERM or SIGINT stops the servers; a second one, or five seconds, end the
    /// process at once.
    func stopAtSignal(_ signals: borrowing SignalDescriptor) {
        while true {
            guard let signal = signals.next(), signal == SIGTERM || signal == SIGINT else { continue }
            if isStopping.withLock({ $0 }) { exit(1) }
            isStopping.withLock { $0 = true }
            log.info("stopping", metadata: ["signal": "\(signal)"])
            grpc.stop()
            detachThread {
                sleep(5)
                exit(0)
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
package import Logging
import Synchronization

/// Starts the supervisor that belongs to this daemon, or adopts the one that is running already. It gets a session of
/// its own: it outlives a daemon that dies, and ends with one that is stopped.
package final class SupervisorProcess: Sendable {
    private let configuration: EngineConfiguration
    private let connection: SupervisorConnection
    private let logger: Logger
    /// The supervisor, if we have started it: a child that has to be waited for.
    private let child = Mutex<pid_t?>(nil)

    package init(configuration: EngineConfiguration, connection: SupervisorConnection, logger: Logger) {
        self.configuration = configuration
        self.connection = connection
        self.logger = logger
    }

    /// Returns once a supervisor answers on the socket.
    package func ensureRunning() async throws {
        if await connection.isServing() { return }
        guard configuration.ownsSupervisor else {
            throw EngineError(
                .unavailable, "no supervisor answers at \(connection.socket.string) (given with --containerd)")
        }
        try await start()
    }

    /// Watches for ever, until the task is cancelled: starts the supervisor anew when it has died.
    package func keepRunning() async {
        while !Task.isCancelled {
            _ = try? await Task.sleep(for: .milliseconds(500))
            reap()
            guard !Task.isCancelled, !connects() else { continue }
            do {
                logger.warning("supervisor is gone, starting it again")
                try await start()
            } catch {
                logger.error("cannot start the supervisor", metadata: ["error": "\(error)"])
                _ = try? await Task.sleep(for: .seconds(2))
            }
        }
    }

    /// Ends the supervisor that belongs to this daemon, started or adopted, and returns once it has ended. What runs goes
    /// on running: shims need no supervisor, and the next one finds them.
    package func stop() async {
        guard configuration.ownsSupervisor, let socket = try? UnixSocket.connect(connection.socket),
            let pid = try? peerProcess(socket), pid > 1, kill(pid, SIGTERM) == 0
        else { return }
        for _ in 0..<500 {
            reap()
            if kill(pid, 0) != 0 { return }
            _ = try? await Task.sleep(for: .milliseconds(20))
        }
        logger.warning("supervisor does not end", metadata: ["pid": "\(pid)"])
    }

    /// Whether somebody listens: cheaper than a call, and right also while the supervisor is busy.
    private func connects() -> Bool { (try? UnixSocket.connect(connection.socket)) != nil }

    private func start() async throws {
        let pid = try spawn()
        child.withLock { $0 = pid }
        logger.info("supervisor started", metadata: ["pid": "\(pid)"])
        for _ in 0..<600 {
            if await connection.isServing() { return }
            if reap() { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw EngineError.internal("the supervisor did not start: see \(logFile.string)")
    }

    /// Collects the supervisor if it has ended; true if it has.
    @discardableResult
    private func reap() -> Bool {
        child.withLock { child in
            var status: CInt = 0
            guard let pid = child, waitpid(pid, &status, WNOHANG) == pid else { return false }
            child = nil
            return true
        }
    }

    private var logFile: FilePath { configuration.dataRoot / "supervisor.log" }

    private func spawn() throws(SysError) -> pid_t {
        var arguments = [
            "--root", configuration.supervisorRoot.string, "--state", configuration.supervisorState.string,
            "--address", configuration.supervisorSocket.string,
            "--registry-timeout", "\(configuration.registryTimeout)",
        ]
        for range in configuration.identities.uids { arguments += ["--uid-map", range.text] }
        for range in configuration.identities.gids { arguments += ["--gid-map", range.text] }
        if configuration.isDebug { arguments += ["--log-level", "debug"] }
        let log = try open(logFile, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
        let null = try open(FilePath("/dev/null"), O_RDWR)
        var spawn = Spawn(
            configuration.programDirectory / "swrun-supervisor", arguments, environment: environment)
        spawn.directory = FilePath("/")
        spawn.newSession = true
        return try spawn.start(stdin: null.raw, stdout: log.raw, stderr: log.raw)
    }

    /// Ours, with PATH to find other runtimes, and the proxies for registries.
    private var environment: [String] {
        let replaced = configuration.proxies.map(\.variable)
        return LinuxSystem.Environment.current().filter { entry in
            !replaced.contains(Environment.name(of: entry).uppercased())
        } + configuration.proxies.map { $0.variable + "=" + $0.value }
    }
}

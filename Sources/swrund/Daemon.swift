// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import EngineHTTP
import Flags
import LinuxSystem
import Logging

/// The daemon from its command line to its end. Cancelling its task stops it gracefully.
enum Daemon {
    static func main() async -> Never {
        do {
            try await run(Array(CommandLineArguments.current().dropFirst()))
            exit(0)
        } catch let error as FlagError {
            fail(error.message + "\nSee 'swrund --help'.", code: 125)
        } catch {
            fail("failed to start daemon: \(error)", code: 1)
        }
    }

    private static func fail(_ text: String, code: CInt) -> Never {
        write(to: STDERR_FILENO, text)
        exit(code)
    }

    private static func write(to descriptor: CInt, _ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = bytes.withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress, bytes.count) }
    }

    private static func run(_ arguments: [String]) async throws {
        let flags = try DaemonFlags.set.parse(arguments)
        if flags.bool("help") { return write(to: STDOUT_FILENO, helpText) }
        if flags.bool("version") { return write(to: STDOUT_FILENO, "Swrun version \(LinuxSystem.Version.number)") }
        if let extra = flags.arguments.first { throw DaemonError("swrund takes no arguments: \(extra)") }
        let file = try ConfigurationFile(
            FilePath(flags.string("config-file")), isRequired: flags.isSet("config-file"))
        try file.checkConflicts(flags)
        let settings = Settings(flags: flags, file: file)
        let configuration = try settings.engine(programs: programDirectory())
        if flags.bool("validate") { return write(to: STDERR_FILENO, "configuration OK") }
        try await serve(settings, configuration)
    }

    private static var helpText: String {
        var page = HelpPage(usage: "swrund [OPTIONS]", description: "The daemon that serves the Docker Engine API.")
        page.options = DaemonFlags.set.flags
        return page.render()
    }

    private static func serve(_ settings: Settings, _ configuration: EngineConfiguration) async throws {
        guard geteuid() == 0 else { throw DaemonError("the daemon needs to be started as root") }
        let logger = try makeLogger(settings)
        var hosts = try settings.list("host")
        if hosts.isEmpty { hosts = ["unix://\(configuration.execRoot.string)/swrun.sock"] }
        let listeners = try hosts.map { try Listener($0) }
        let group = try Listener.groupID(try settings.string("group"))
        let pidText = try settings.string("pidfile")
        let pidFile = PIDFile(path: pidText.isEmpty ? configuration.execRoot / "swrund.pid" : FilePath(pidText))
        try makeDirectories(configuration.dataRoot, mode: 0o711)
        try makeDirectories(configuration.execRoot, mode: 0o711)
        try pidFile.claim()
        defer { pidFile.release() }
        // Listening comes before all else that changes the machine: a second daemon gets no further than here. Clients
        // that come now wait.
        let sockets = try listeners.map { try $0.open(group: group).relinquish() }
        defer { for listener in listeners { try? removeFile(listener.path) } }
        for listener in listeners { logger.info("API listen", metadata: ["op": "\(listener.path.string)"]) }
        let engine = try Engine(configuration: configuration, logger: logger)
        do {
            try await serve(engine, at: sockets, logger)
            await engine.stop()
        } catch {
            await engine.stop()
            throw error
        }
    }

    /// Serves until the task is cancelled.
    private static func serve(_ engine: Engine, at sockets: [CInt], _ logger: Logger) async throws {
        let supervisor = SupervisorProcess(
            configuration: engine.configuration, connection: engine.supervisor, logger: logger)
        try await supervisor.ensureRunning()
        try await engine.start()
        let server = HTTPServer(router: .engine(engine), logger: logger)
        try await withThrowingDiscardingTaskGroup { tasks in
            for socket in sockets { tasks.addTask { try await server.serve(OwnedFD(owning: socket)) } }
            if engine.configuration.ownsSupervisor { tasks.addTask { await supervisor.keepRunning() } }
            tasks.addTask { await engine.run() }
            logger.info("daemon has completed initialization")
            try? await Task.sleep(for: .seconds(1 << 40))  // until we are told to stop
            logger.info("stopping; containers keep running")
            tasks.cancelAll()
        }
        await server.shutDown()
    }

    private static func makeLogger(_ settings: Settings) throws -> Logger {
        var logger = Logger(label: "swrund") { StreamLogHandler.standardError(label: $0) }
        let name = try settings.string("log-level")
        let levels: [String: Logger.Level] = [
            "trace": .trace, "debug": .debug, "info": .info, "warn": .warning, "warning": .warning, "error": .error,
            "fatal": .critical, "panic": .critical,
        ]
        guard let level = levels[name] else { throw DaemonError("invalid logging level: \(name)") }
        logger.logLevel = try settings.isDebug() ? min(level, .debug) : level
        return logger
    }
}

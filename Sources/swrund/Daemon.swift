// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import EngineHTTP
import Flags
import Glibc
import HTTPServer
import JSON
import LinuxSystem
import Logging

/// The daemon from its command line to its end. Cancelling its task stops it gracefully.
enum Daemon {
    /// - Parameter reloads: gives an element whenever the configuration file is to be read again.
    static func main(reloads: AsyncStream<Void>) async -> Never {
        do {
            try await run(Array(CommandLineArguments.current().dropFirst()), reloads)
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

    private static func run(_ arguments: [String], _ reloads: AsyncStream<Void>) async throws {
        let flags = try DaemonFlags.set.parse(arguments)
        if flags.bool("help") { return write(to: STDOUT_FILENO, helpText) }
        if flags.bool("version") { return write(to: STDOUT_FILENO, "Swrun version \(LinuxSystem.Version.number)") }
        if let extra = flags.arguments.first { throw DaemonError("swrund takes no arguments: \(extra)") }
        let file = try ConfigurationFile(
            FilePath(flags.string("config-file")), isRequired: flags.isSet("config-file"))
        try file.checkConflicts(flags)
        let settings = Settings(flags: flags, file: file)
        let configuration = try settings.engine(programs: programDirectory())
        let places = try settings.places(standard: "unix://\(try settings.path("exec-root").string)/swrun.sock")
        let level = LogLevel(try settings.logLevel())
        if flags.bool("validate") { return write(to: STDERR_FILENO, "configuration OK") }
        try await serve(settings, configuration, at: places, level, reloads)
    }

    private static var helpText: String {
        var page = HelpPage(usage: "swrund [OPTIONS]", description: "The daemon that serves the Docker Engine API.")
        page.options = DaemonFlags.set.flags
        return page.render()
    }

    /// What is served, where, and by what.
    private struct Door {
        var sockets: [(descriptor: CInt, place: Place)]
        var tls: ServerTLS?
        /// Where figures are served, and nothing else.
        var metrics: [CInt] = []
    }

    private static func serve(
        _ settings: Settings, _ configuration: EngineConfiguration, at places: [Place], _ level: LogLevel,
        _ reloads: AsyncStream<Void>
    ) async throws {
        guard geteuid() == 0 else { throw DaemonError("the daemon needs to be started as root") }
        let isJSON = try settings.string("log-format") == "json"
        let logger = Logger(label: "swrund") { DaemonLogHandler(label: $0, level: level, isJSON: isJSON) }
        let pidText = try settings.string("pidfile")
        let pidFile = PIDFile(path: pidText.isEmpty ? try settings.path("exec-root") / "swrund.pid" : FilePath(pidText))
        var door = Door(sockets: [], tls: try settings.serverTLS())
        let group = try Listener.groupID(try settings.string("group"))
        try makeRoots(settings, configuration)
        try pidFile.claim()
        defer { pidFile.release() }
        // Listening comes before all else that changes the machine: a second daemon gets no further than here. Clients
        // that come now wait.
        for place in places {
            if let warning = try settings.warning(place.listener) { logger.warning("\(warning)") }
            for descriptor in try place.listener.open(group: group) { door.sockets.append((descriptor, place)) }
            logger.info("API listen", metadata: ["op": "\(place.listener.description)"])
        }
        if let address = try settings.metricsAddress() {
            door.metrics = try TCPListening.open(host: address.host, port: address.port)
            logger.info("metrics API listen", metadata: ["op": "\(address.host):\(address.port)"])
        }
        defer {
            for place in places {
                if case .unix(let path) = place.listener { try? removeFile(path) }
            }
        }
        let engine = try Engine(configuration: configuration, logger: logger)
        let supervisor = SupervisorProcess(
            configuration: engine.configuration, connection: engine.supervisor, logger: logger)
        do {
            let reloader = Reloader(settings: settings, system: engine.system, level: level, logger: logger)
            try await serve(engine, supervisor, door, logger) { plugins in
                for await _ in reloads { reloader.reload(engine.configuration, plugins) }
            }
            await stop(engine, supervisor)
        } catch {
            await stop(engine, supervisor)
            throw error
        }
    }

    private static func stop(_ engine: Engine, _ supervisor: SupervisorProcess) async {
        await engine.stop()
        // A task of its own, awaited here: ours may be cancelled already.
        await Task { await supervisor.stop() }.value
    }

    /// The data root and the exec root; root in containers may pass through them, as docker has it.
    private static func makeRoots(_ settings: Settings, _ configuration: EngineConfiguration) throws {
        try makeDirectories(configuration.dataRoot, mode: 0o711)
        try makeDirectories(configuration.execRoot, mode: 0o711)
        guard !configuration.identities.isEmpty else { return }
        for path in [try settings.path("data-root"), configuration.dataRoot] {
            try changeMode(path, 0o710)
            try changeOwner(path, FileOwner(uid: 0, gid: configuration.identities.root.gid))
        }
    }

    /// Serves until the task is cancelled.
    private static func serve(
        _ engine: Engine, _ supervisor: SupervisorProcess, _ door: Door, _ logger: Logger,
        reloading: @escaping @Sendable (AuthorizationPlugins) async -> Void
    ) async throws {
        try await supervisor.ensureRunning()
        try await engine.start()
        let plugins = AuthorizationPlugins(
            names: engine.configuration.authorizationPlugins, plugins: engine.plugins)
        let containers = engine.containers
        let server = APIServer(
            router: .engine(engine), logger: logger, authorization: plugins,
            isExperimental: engine.configuration.isExperimental
        ) { containers.labels(of: $0) }
        let metrics = MetricsServer(engine, logger: logger)
        try await withThrowingDiscardingTaskGroup { tasks in
            for (descriptor, place) in door.sockets {
                var isTCP = false
                if case .tcp = place.listener { isTCP = true }
                let tls = isTCP ? door.tls : nil
                tasks.addTask {
                    try await server.serve(OwnedFD(owning: descriptor), tls: tls, policy: place.policy)
                }
            }
            for descriptor in door.metrics {
                tasks.addTask { try await metrics.serve(OwnedFD(owning: descriptor)) }
            }
            if engine.configuration.ownsSupervisor { tasks.addTask { await supervisor.keepRunning() } }
            tasks.addTask { await engine.run() }
            tasks.addTask { await reloading(plugins) }
            logger.info("daemon has completed initialization")
            try? await Task.sleep(for: .seconds(1 << 40))  // until we are told to stop
            logger.info("stopping")
            tasks.cancelAll()
        }
        await server.shutDown()
        await metrics.shutDown()
    }
}

// SPDX-License-Identifier: Apache-2.0
import Engine
import Flags
import JSON
import LinuxSystem
import Logging

/// Reads the configuration file again at SIGHUP and applies what can change while the daemon runs.
struct Reloader: Sendable {
    let settings: Settings
    let system: SystemService
    let level: LogLevel
    let logger: Logger

    /// A file that is not right changes nothing.
    func reload(_ configuration: EngineConfiguration, _ plugins: AuthorizationPlugins) {
        do {
            let path = FilePath(settings.flags.string("config-file"))
            let file = try ConfigurationFile(path, isRequired: settings.flags.isSet("config-file"))
            try file.checkConflicts(settings.flags)
            let settings = Settings(flags: settings.flags, file: file)
            let newLevel = try settings.logLevel()
            try settings.reload(configuration)
            level.value = newLevel
            if configuration.authorizationPlugins != plugins.names {
                plugins.replace(names: configuration.authorizationPlugins)
            }
            try system.didReload(attributes(configuration, settings))
            logger.info("configuration reloaded")
        } catch {
            logger.error("the configuration was not reloaded", metadata: ["error": "\(error)"])
        }
    }

    /// What dockerd's event of a reload tells.
    private func attributes(
        _ configuration: EngineConfiguration, _ settings: Settings
    ) throws -> [(key: String, value: String)] {
        let values = configuration.live.values
        func list(_ items: [String]) -> String { JSONValue.strings(items).serialized() }
        let runtimes = values.runtimes.map { "\($0.name):{\($0.path)}" }.sorted().joined(separator: " ")
        return [
            ("allow-nondistributable-artifacts", "[]"), ("authorization-plugins", list(values.authorizationPlugins)),
            ("debug", "\(values.isDebug)"), ("default-runtime", values.defaultRuntime),
            ("default-shm-size", "\(configuration.defaultShmSize)"),
            ("insecure-registries", list(values.insecureRegistries)),
            ("labels", list(values.labels)), ("live-restore", "true"),
            ("max-concurrent-downloads", "\(try settings.int("max-concurrent-downloads") ?? 3)"),
            ("max-concurrent-uploads", "\(try settings.int("max-concurrent-uploads") ?? 5)"),
            ("registry-mirrors", list(values.registryMirrors)), ("runtimes", runtimes),
            ("shutdown-timeout", "\(try settings.int("shutdown-timeout") ?? 15)"),
        ]
    }
}

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
    ) -> [(key: String, value: String)] {
        let values = configuration.live.values
        func list(_ items: [String]) -> String { JSONValue.strings(items).serialized() }
        let runtimes = values.runtimes.map { "\($0.name):{\($0.path)}" }.sorted().joined(separator: " ")
        let features = (settings.file["features"]?.members ?? []).map { "\($0.key):\($0.value.bool ?? false)" }.sorted()
        return [
            ("allow-nondistributable-artifacts", "[]"), ("authorization-plugins", list(values.authorizationPlugins)),
            ("debug", "\(values.isDebug)"), ("default-cgroupns-mode", values.defaultCgroupNamespaceMode),
            ("default-ipc-mode", values.defaultIPCMode), ("default-runtime", values.defaultRuntime),
            ("default-shm-size", "\(values.defaultShmSize)"), ("features", "map[\(features.joined(separator: " "))]"),
            ("insecure-registries", list(values.insecureRegistries)),
            ("labels", list(values.labels)), ("live-restore", "\(values.liveRestore)"),
            ("max-concurrent-downloads", "\(values.downloads.parallel)"),
            ("max-concurrent-uploads", "\(values.uploads.parallel)"),
            ("max-download-attempts", "\(values.downloads.attempts ?? 0)"),
            ("registry-mirrors", list(values.registryMirrors)), ("runtimes", runtimes),
            ("shutdown-timeout", "\(values.shutdownTimeout)"),
        ]
    }
}

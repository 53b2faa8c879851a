// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON

/// Fills what a create request leaves open: from the image, from the daemon's settings, from docker's defaults.
enum ContainerDefaults {
    /// Merges the image's `config` object into the user's, by docker's rules.
    static func merge(_ image: JSONValue, into config: inout ContainerConfig) throws(FieldError) {
        if config.user.isEmpty { config.user = image["User"]?.string ?? "" }
        mergeCommand(image, into: &config)
        if config.workingDirectory.isEmpty { config.workingDirectory = image["WorkingDir"]?.string ?? "" }
        let named = config.env.map { Environment.name(of: $0) }
        let inherited = (image["Env"]?.strings ?? []).filter { !named.contains(Environment.name(of: $0)) }
        config.env += inherited
        let labels = config.labels
        let more = (image["Labels"]?.stringPairs ?? []).filter { pair in !labels.contains { $0.key == pair.key } }
        config.labels = labels + more
        if config.volumes.isEmpty { config.set("Volumes", image["Volumes"] ?? .null) }
        mergePorts(image, into: &config)
        if config.stopSignal.isEmpty, let signal = image["StopSignal"] { config.set("StopSignal", signal) }
        if config.json["Shell"] == nil, let shell = image["Shell"] { config.set("Shell", shell) }
        let own = config.json["Healthcheck"]
        if let check = try HealthCheck.merge(own, image: image["Healthcheck"]) { config.set("Healthcheck", check) }
    }

    /// The image's command belongs to the image's entry point: it is dropped when the user has another one.
    private static func mergeCommand(_ image: JSONValue, into config: inout ContainerConfig) {
        if (config.entrypoint ?? []).isEmpty {
            if (config.command ?? []).isEmpty { config.command = image["Cmd"]?.strings }
            if config.entrypoint == nil { config.entrypoint = image["Entrypoint"]?.strings }
        }
        // `--entrypoint ""` is sent as a list of one empty string: no entry point at all.
        if config.entrypoint == [""] { config.entrypoint = nil }
    }

    private static func mergePorts(_ image: JSONValue, into config: inout ContainerConfig) {
        var ports = config.exposedPorts
        for (port, _) in (image["ExposedPorts"] ?? .null).pairs {
            let key = port.contains("/") ? port : port + "/tcp"
            if !ports.contains(key) { ports.append(key) }
        }
        if ports.isEmpty { return }
        config.set("ExposedPorts", .sorted(ports.map { ($0, .object([])) }))
    }

    /// Gives the host's half the values that inspect shows.
    static func normalize(_ host: inout HostConfig, _ settings: EngineConfiguration, unifiedCgroups: Bool) {
        if ["", "default"].contains(host.networkMode) { host.networkMode = "bridge" }
        if host.text("Runtime").isEmpty { host.set("Runtime", .string(settings.defaultRuntime)) }
        if host.text("IpcMode").isEmpty {
            host.set("IpcMode", .string(settings.defaultIPCMode.isEmpty ? "private" : settings.defaultIPCMode))
        }
        if host.text("CgroupnsMode").isEmpty {
            let mode = settings.defaultCgroupNamespaceMode
            let isHost = !unifiedCgroups && (mode.isEmpty || host.privileged)
            host.set("CgroupnsMode", .string(isHost ? "host" : mode.isEmpty ? "private" : mode))
        }
        if host.number("ShmSize") == 0, host.text("IpcMode") != "host" {
            host.set("ShmSize", .int(settings.defaultShmSize))
        }
        if host.restartPolicy.name.isEmpty {
            host.set(
                "RestartPolicy", RestartPolicy(name: "no", maximumRetryCount: host.restartPolicy.maximumRetryCount).json
            )
        }
        if settings.usesInit, host["Init"].isNull { host.set("Init", true) }
        normalizeLimits(&host)
        if unifiedCgroups {
            host.set("OomKillDisable", .null)  // cgroup v2 cannot do it
        } else if host["OomKillDisable"].isNull {
            host.set("OomKillDisable", false)
        }
        normalizeLog(&host, settings)
        normalizeConfinement(&host)
    }

    private static func normalizeLimits(_ host: inout HostConfig) {
        let memory = host.number("Memory")
        if memory > 0, host.number("MemorySwap") == 0 {
            let (twice, isTooMuch) = memory.multipliedReportingOverflow(by: 2)
            host.set("MemorySwap", .int(isTooMuch ? -1 : twice))  // so much is as good as no limit
        }
        if host["MemorySwappiness"].int == -1 { host.set("MemorySwappiness", .null) }
        if let pids = host["PidsLimit"].int, pids <= 0 { host.set("PidsLimit", .null) }
    }

    /// The daemon's limits for processes, where the container has none of the same name. They are never kept with a
    /// container: those of the daemon that starts it count.
    static func addUlimits(_ defaults: [JSONValue], to host: inout HostConfig) {
        if defaults.isEmpty { return }
        let own = host.objects("Ulimits")
        let names = own.map { $0["Name"]?.string }
        host.set("Ulimits", .array(own + defaults.filter { !names.contains($0["Name"]?.string) }))
    }

    private static func normalizeLog(_ host: inout HostConfig, _ settings: EngineConfiguration) {
        let isDefault = host.logDriver.isEmpty || host.logDriver == "default"
        let driver = isDefault ? settings.logDriver : host.logDriver
        var options = host.logOptions
        if isDefault || driver == settings.logDriver {
            options += settings.logOptions.filter { pair in !options.contains { $0.key == pair.key } }
        }
        let config = JSONValue.sorted(options.map { ($0.key, .string($0.value)) })
        host.set("LogConfig", ["Type": .string(driver), "Config": config])
    }

    private static func normalizeConfinement(_ host: inout HostConfig) {
        for field in ["CapAdd", "CapDrop"] where !host[field].isNull {
            host.set(field, .strings(host.list(field).map { (try? Capability.normalize($0)) ?? $0 }))
        }
        if host.privileged { return }
        if host["MaskedPaths"].isNull { host.set("MaskedPaths", .strings(DefaultPaths.masked)) }
        if host["ReadonlyPaths"].isNull { host.set("ReadonlyPaths", .strings(DefaultPaths.readonly)) }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
package import JSON
import LinuxSystem
import OCISpec
import Synchronization

/// How many containers there are in each state, for `/info`.
package struct ContainerCounts: Sendable, Equatable {
    package var running = 0
    package var paused = 0
    package var stopped = 0

    package init(running: Int = 0, paused: Int = 0, stopped: Int = 0) {
        self.running = running
        self.paused = paused
        self.stopped = stopped
    }
}

/// What the daemon says about itself and the machine.
package final class SystemService: Sendable {
    /// The Engine API versions, told by the HTTP layer, which implements them.
    package struct APIRange: Sendable {
        package var newest: String
        package var oldest: String

        package init(newest: String, oldest: String) {
            self.newest = newest
            self.oldest = oldest
        }
    }

    private let configuration: EngineConfiguration
    private let supervisor: SupervisorConnection
    private let images: ImageService
    private let plugins: Plugins
    private let events: EventHub
    private let counter = Mutex<(@Sendable () async -> ContainerCounts)?>(nil)

    package init(
        configuration: EngineConfiguration, supervisor: SupervisorConnection, images: ImageService,
        plugins: Plugins, events: EventHub
    ) {
        self.configuration = configuration
        self.supervisor = supervisor
        self.images = images
        self.plugins = plugins
        self.events = events
    }

    /// The container service is made after this one; it is asked here for its figures.
    package func setContainerCounter(_ counts: @escaping @Sendable () async -> ContainerCounts) {
        counter.withLock { $0 = counts }
    }

    // MARK: version

    package func version(_ api: APIRange) async -> JSONValue {
        let facts = MachineFacts()
        let program = (try? status(FilePath("/proc/self/exe")))?.st_mtim.tv_sec ?? 0
        let built = Timestamp(nanoseconds: Int64(program) * 1_000_000_000).rfc3339()
        let supervisor = try? await supervisor.version()
        let number = LinuxSystem.Version.number
        let details: JSONValue = [
            "ApiVersion": .string(api.newest), "Arch": .string(MachineFacts.architecture.go),
            "BuildTime": .string(built), "Experimental": .string(configuration.isExperimental ? "true" : "false"),
            "GitCommit": "", "GoVersion": .string(compiler),
            "KernelVersion": .string(facts.kernel), "MinAPIVersion": .string(api.oldest), "Os": "linux",
        ]
        return [
            "Platform": ["Name": "swrun"],
            "Components": [
                ["Name": "Engine", "Version": .string(number), "Details": details],
                component("swrun-supervisor", supervisor?.version ?? "unknown", supervisor?.revision ?? ""),
                component("swrunc", number, ""),
            ],
            "Version": .string(number), "ApiVersion": .string(api.newest), "MinAPIVersion": .string(api.oldest),
            "GitCommit": "", "GoVersion": .string(compiler), "Os": "linux",
            "Arch": .string(MachineFacts.architecture.go), "KernelVersion": .string(facts.kernel),
            "BuildTime": .string(built), "Experimental": .bool(configuration.isExperimental),
        ]
    }

    private func component(_ name: String, _ version: String, _ commit: String) -> JSONValue {
        ["Name": .string(name), "Version": .string(version), "Details": ["GitCommit": .string(commit)]]
    }

    /// What stands where dockerd says which Go built it.
    private var compiler: String {
        #if compiler(>=6.3)
            "swift6.3"
        #else
            "swift6.2"
        #endif
    }

    // MARK: info

    package func info() async throws -> JSONValue {
        let facts = MachineFacts()
        let counts = await counter.withLock { $0 }?() ?? ContainerCounts()
        let images = try await images.count()
        let names = configuration.authorizationPlugins
        let plugins: JSONValue = names.isEmpty ? .null : .strings(names)
        var info: JSONValue = [
            "ID": .string(try identity()),
            "Containers": .int(Int64(counts.running + counts.paused + counts.stopped)),
            "ContainersRunning": .int(Int64(counts.running)), "ContainersPaused": .int(Int64(counts.paused)),
            "ContainersStopped": .int(Int64(counts.stopped)), "Images": .int(Int64(images)),
            "Driver": .string(GraphDriver.name), "DriverStatus": GraphDriver.status(root: configuration.dataRoot),
            "Plugins": [
                "Volume": .strings([VolumeRecord.localDriver] + self.plugins.active(VolumePlugin.kind)),
                "Network": .strings(
                    ["bridge", "host", "ipvlan", "macvlan", "null"] + self.plugins.active("NetworkDriver")),
                "Authorization": plugins, "Log": .strings(LogOptions.driverNames),
            ],
        ]
        for member in limits(facts) + host(facts) + daemon(facts) { info.set(member.key, member.value) }
        return info
    }

    /// The figures of `--metrics-addr`.
    package func metricsText(_ metrics: Metrics) async -> String {
        let facts = MachineFacts()
        return metrics.text(
            Metrics.Facts(
                containers: await counter.withLock { $0 }?() ?? ContainerCounts(), processors: facts.processors,
                memory: facts.memory, subscribers: events.listenerCount, events: events.eventCount,
                labels: [
                    ("architecture", MachineFacts.architecture.kernel), ("commit", ""),
                    ("daemon_id", (try? identity()) ?? ""), ("graphdriver", GraphDriver.name),
                    ("kernel", facts.kernel), ("os", facts.operatingSystem), ("os_type", "linux"),
                    ("os_version", facts.operatingSystemVersion), ("version", LinuxSystem.Version.number),
                ]))
    }

    /// What the kernel lets us limit; the runtime refuses what is missing, so these are what it implements.
    private func limits(_ facts: MachineFacts) -> [JSONValue.Member] {
        [
            .init("MemoryLimit", true), .init("SwapLimit", true), .init("CpuCfsPeriod", true),
            .init("CpuCfsQuota", true), .init("CPUShares", true), .init("CPUSet", true), .init("PidsLimit", true),
            .init("IPv4Forwarding", .bool(facts.forwardsIPv4)), .init("Debug", .bool(configuration.isDebug)),
            .init("NFd", .int(Int64(facts.openFiles))), .init("OomKillDisable", .bool(!facts.hasCgroup2)),
            .init("NGoroutines", .int(Int64(facts.threads))), .init("SystemTime", .string(Timestamp.now.rfc3339())),
            .init("LoggingDriver", .string(configuration.logDriver)),
            .init("CgroupDriver", configuration.usesSystemdCgroups ? "systemd" : "cgroupfs"),
            .init("CgroupVersion", facts.hasCgroup2 ? "2" : "1"),
            .init("NEventsListener", .int(Int64(events.listenerCount))),
        ]
    }

    private func host(_ facts: MachineFacts) -> [JSONValue.Member] {
        [
            .init("KernelVersion", .string(facts.kernel)), .init("OperatingSystem", .string(facts.operatingSystem)),
            .init("OSVersion", .string(facts.operatingSystemVersion)), .init("OSType", "linux"),
            .init("Architecture", .string(MachineFacts.architecture.kernel)),
            .init("IndexServerAddress", "https://index.docker.io/v1/"), .init("RegistryConfig", registries),
            .init("NCPU", .int(Int64(facts.processors))), .init("MemTotal", .int(facts.memory)),
            .init("GenericResources", nil), .init("DockerRootDir", .string(configuration.dataRoot.string)),
            .init("HttpProxy", proxy("HTTP_PROXY")), .init("HttpsProxy", proxy("HTTPS_PROXY")),
            .init("NoProxy", .string(configuration.proxyVariable("NO_PROXY") ?? "")),
            .init("Name", .string(facts.hostname)),
        ]
    }

    private func daemon(_ facts: MachineFacts) -> [JSONValue.Member] {
        let given = configuration.seccompProfile
        let profile = given.isEmpty ? "builtin" : given == "unconfined" ? given : "custom-profile"
        let security =
            (facts.hasSeccomp ? ["name=seccomp,profile=\(profile)"] : [])
            + (facts.hasCgroup2 ? ["name=cgroupns"] : [])
            + (configuration.identities.isEmpty ? [] : ["name=userns"])
            + (configuration.noNewPrivileges ? ["name=no-new-privileges"] : [])
        let number = JSONValue.string(LinuxSystem.Version.number)
        return [
            .init("Labels", .strings(configuration.labels)),
            .init("ExperimentalBuild", .bool(configuration.isExperimental)),
            .init("ServerVersion", number), .init("Runtimes", runtimes),
            .init("DefaultRuntime", .string(configuration.defaultRuntime)),
            .init(
                "Swarm",
                [
                    "NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": false,
                    "Error": "", "RemoteManagers": nil,
                ]),
            .init("LiveRestoreEnabled", .bool(configuration.liveRestore)), .init("Isolation", ""),
            .init("InitBinary", .string(configuration.initPath.isEmpty ? "docker-init" : configuration.initPath)),
            .init("ContainerdCommit", ["ID": number]), .init("RuncCommit", ["ID": number]),
            .init("InitCommit", ["ID": number]), .init("SecurityOptions", .strings(security)),
            .init("CDISpecDirs", .strings(configuration.deviceDirectories.map(\.string))), .init("Warnings", nil),
        ]
    }

    /// The address of a proxy without its user, as docker shows it.
    private func proxy(_ name: String) -> JSONValue {
        .string(withoutUser(configuration.proxyVariable(name) ?? ""))
    }

    private var registries: JSONValue {
        let ranges = configuration.insecureRegistries.filter { $0.contains("/") } + ["::1/128", "127.0.0.0/8"]
        let mirrors = JSONValue.strings(configuration.registryMirrors.map { $0.hasSuffix("/") ? $0 : $0 + "/" })
        let hub: JSONValue = ["Name": "docker.io", "Mirrors": mirrors, "Secure": true, "Official": true]
        return [
            "InsecureRegistryCIDRs": .strings(ranges), "IndexConfigs": ["docker.io": hub],
            "Mirrors": configuration.registryMirrors.isEmpty ? nil : mirrors,
        ]
    }

    private var runtimes: JSONValue {
        .sorted(
            configuration.runtimes.map { runtime in
                var json: JSONValue = ["path": .string(runtime.path)]
                if !runtime.arguments.isEmpty { json.set("runtimeArgs", .strings(runtime.arguments)) }
                return (runtime.name, json)
            })
    }

    /// Tells listeners that the configuration was read again, and what of it.
    package func didReload(_ attributes: [(key: String, value: String)]) throws {
        let name = [("name", MachineFacts().hostname)]
        events.publish(type: .daemon, action: "reload", id: try identity(), attributes: name + attributes)
    }

    /// An identifier of this installation, made at the first start.
    private func identity() throws(SysError) -> String {
        let file = configuration.dataRoot / "engine/engine-id"
        if let text = try? readText(file), !text.isEmpty { return text }
        let digits = (0..<32).map { _ in String("0123456789abcdef".randomElement() ?? "0") }.joined()
        let id = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
            .map { String(Array(digits)[$0]) }.joined(separator: "-")
        try makeDirectories(file.parent, mode: 0o710)
        try writeFileAtomically(file, Array(id.utf8))
        return id
    }
}

/// A URL without its user and password, as docker shows it.
package func withoutUser(_ url: String) -> String {
    guard let scheme = url.firstRange(of: "://"), let at = url.lastIndex(of: "@") else { return url }
    return url[..<scheme.upperBound] + "xxxxx:xxxxx@" + url[url.index(after: at)...]
}

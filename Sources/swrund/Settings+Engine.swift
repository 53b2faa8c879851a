// SPDX-License-Identifier: Apache-2.0
import Engine
import Flags
import JSON
import LinuxSystem

extension Settings {
    /// What the services get to know.
    func engine(programs: FilePath) throws(DaemonError) -> EngineConfiguration {
        var configuration = EngineConfiguration(dataRoot: try path("data-root"), execRoot: try path("exec-root"))
        if try !string("containerd").isEmpty {
            configuration.supervisorSocket = try path("containerd")
            configuration.ownsSupervisor = false
        }
        try remap(&configuration)
        configuration.namespace = try string("containerd-namespace")
        configuration.programDirectory = programs
        configuration.pluginDirectories = try pluginDirectories()
        try ForeignSettings.check(self)
        try reload(configuration)
        configuration.network = try network()
        configuration.registryTimeout = try registryTimeout()
        configuration.usesSystemdCgroups = try usesSystemdCgroups()
        configuration.logDriver = try string("log-driver")
        configuration.logOptions = try pairs("log-opt")
        do throws(EngineError) { try LogOptions.validateDefaults(configuration) } catch {
            throw DaemonError(error.message)
        }
        configuration.usesInit = try bool("init")
        configuration.isExperimental = try bool("experimental")
        configuration.initPath = try string("init-path")
        configuration.proxies = try proxies()
        configuration.hostGateway = try hostGateway()
        configuration.cgroupParent = try string("cgroup-parent")
        try setContainerDefaults(&configuration)
        let devices = try list("cdi-spec-dir")
        let isGiven = !devices.isEmpty || file["cdi-spec-dirs"]?.array?.isEmpty == true
        if isGiven { configuration.deviceDirectories = devices.filter { !$0.isEmpty }.map { FilePath($0) } }
        if file["features"]?["cdi"]?.bool == false { configuration.deviceDirectories = [] }
        do throws(EngineError) { try configuration.check() } catch { throw DaemonError(error.message) }
        return configuration
    }

    /// `native.cgroupdriver`. Where it is not given, systemd makes the cgroups if it runs and there is nothing but version
    /// 2, as with dockerd.
    private func usesSystemdCgroups() throws(DaemonError) -> Bool {
        let options = try list("exec-opt").compactMap { Self.pair($0) }
        if let driver = options.last(where: { $0.key.lowercased() == "native.cgroupdriver" }) {
            return driver.value == "systemd"
        }
        let needed = ["/sys/fs/cgroup/cgroup.controllers", "/run/systemd/system", "/run/dbus/system_bus_socket"]
        return needed.allSatisfy { exists(FilePath($0)) }
    }

    private func remap(_ configuration: inout EngineConfiguration) throws(DaemonError) {
        let setting = try string("userns-remap")
        if setting.isEmpty { return }
        guard configuration.ownsSupervisor else {
            throw DaemonError("--userns-remap: not with another supervisor's images (--containerd)")
        }
        do throws(EngineError) {
            configuration.remap(try RemappedRoot().identities(setting, makeUser: SystemUser.make))
        } catch {
            throw DaemonError(error.message)
        }
    }

    private func registryTimeout() throws(DaemonError) -> Int64 {
        let seconds = try int("registry-timeout") ?? 60
        guard (1...86400).contains(seconds) else {
            throw DaemonError("invalid registry timeout: \(seconds) seconds; use 1 to 86400")
        }
        return Int64(seconds)
    }

    /// What `configuration` takes over at the start, and when the file is read again.
    func reload(_ configuration: EngineConfiguration) throws(DaemonError) {
        var values = LiveConfiguration.Values()
        values.runtimes = try runtimes(configuration.programDirectory)
        values.defaultRuntime = try string("default-runtime")
        let isKnown = values.runtimes.contains { $0.name == values.defaultRuntime }
        guard isKnown || RuntimeEntry.isShimName(values.defaultRuntime) else {
            throw DaemonError("specified default runtime '\(values.defaultRuntime)' does not exist")
        }
        values.labels = try labels()
        values.insecureRegistries = try list("insecure-registry")
        values.registryMirrors = try mirrors()
        values.isDebug = try isDebug()
        for name in try list("authorization-plugin") where !values.authorizationPlugins.contains(name) {
            values.authorizationPlugins.append(name)
        }
        values.defaultShmSize = try shmSize()
        try setDefaultModes(&values)
        try setTransferLimits(&values)
        values.liveRestore = try bool("live-restore")
        values.shutdownTimeout = try int("shutdown-timeout") ?? 15
        configuration.live.values = values
    }

    func isDebug() throws(DaemonError) -> Bool {
        if try bool("debug") { return true }
        return try string("log-level") == "debug"
    }

    private func setContainerDefaults(_ configuration: inout EngineConfiguration) throws(DaemonError) {
        configuration.noNewPrivileges = try bool("no-new-privileges")
        configuration.defaultUlimits = try ulimits()
        let profile = try string("seccomp-profile")
        switch profile {
        case "", "builtin": break
        case "unconfined": configuration.seccompProfile = profile
        default:
            do throws(SysError) { configuration.seccompProfile = try readText(FilePath(profile)) } catch {
                throw DaemonError("opening seccomp profile (\(profile)) failed: \(error.errno.text)")
            }
        }
    }

    private func network() throws(DaemonError) -> NetworkConfiguration {
        var network = NetworkConfiguration()
        network.bridge = try string("bridge")
        network.bridgeAddress = try string("bip")
        network.addressPools = try addressPools()
        network.nameservers = try list("dns")
        network.searchDomains = try list("dns-search")
        network.resolverOptions = try list("dns-opt")
        network.mtu = try mtu()
        network.firewall = try bool("iptables")
        network.ipForward = try bool("ip-forward")
        network.ipMasquerade = try bool("ip-masq")
        network.interContainer = try bool("icc")
        network.directRouting = try bool("allow-direct-routing")
        network.userlandProxy = try bool("userland-proxy")
        network.ipv6 = try bool("ipv6")
        network.bridgeAddress6 = try string("bip6")
        network.subnet6 = try string("fixed-cidr-v6")
        network.firewall6 = try bool("ip6tables")
        network.addressRange = try string("fixed-cidr")
        network.defaultGateway = try string("default-gateway")
        network.defaultGateway6 = try string("default-gateway-v6")
        network.hostBinding = try string("ip")
        network.defaultOptions = try defaultNetworkOptions()
        return network
    }

    /// On the command line `bridge=KEY=VALUE`, in the file an object of objects, by driver.
    private func defaultNetworkOptions() throws(DaemonError) -> [String: [String: String]] {
        var options: [String: [String: String]] = [:]
        for text in flags.list("default-network-opt") {
            guard let (driver, rest) = Settings.pair(text), let (key, value) = Settings.pair(rest) else {
                throw DaemonError(
                    "invalid argument \"\(text)\" for \"--default-network-opt\" flag: expected driver=key=value")
            }
            options[driver, default: [:]][key] = value
        }
        for driver in file["default-network-opts"]?.members ?? [] {
            guard let pairs = driver.value.stringPairs else {
                throw wrongType("default-network-opts", "an object of objects of texts")
            }
            for (key, value) in pairs { options[driver.key, default: [:]][key] = value }
        }
        return options
    }

    /// 0 stands for the uplink's. Bridges and veths have 68 bytes at least, what IPv4 needs, and 65535 at most.
    private func mtu() throws(DaemonError) -> Int? {
        guard let mtu = try int("mtu") else { return nil }
        guard mtu == 0 || (68...65535).contains(mtu) else { throw DaemonError("invalid default MTU: \(mtu)") }
        return mtu
    }

    /// On the command line `base=…,size=…`, in the file objects of `base` and `size`.
    private func addressPools() throws(DaemonError) -> [(base: String, size: Int)] {
        var pools: [(base: String, size: Int)] = []
        for text in flags.list("default-address-pool") {
            let fields = text.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1).map { String($0) } }
            guard let base = fields.first(where: { $0.first == "base" })?.last,
                let size = fields.first(where: { $0.first == "size" })?.last.flatMap({ Int($0) })
            else { throw DaemonError("invalid --default-address-pool \(text): expected base=CIDR,size=N") }
            pools.append((base, size))
        }
        for pool in file["default-address-pools"]?.array ?? [] {
            guard let base = pool["base"]?.string, let size = pool["size"]?.int else {
                throw wrongType("default-address-pool", "a list of objects with base and size")
            }
            pools.append((base, Int(size)))
        }
        return pools
    }

    /// Ours, under the names that people know, and those that were added.
    private func runtimes(_ programs: FilePath) throws(DaemonError) -> [RuntimeEntry] {
        let own = (programs / "swrunc").string
        var runtimes = [
            RuntimeEntry(name: "swrun", path: own), RuntimeEntry(name: "runc", path: "runc"),
            RuntimeEntry(name: "io.containerd.runc.v2", path: "", shim: "io.containerd.runc.v2"),
        ]
        func add(_ entry: RuntimeEntry) {
            runtimes.removeAll { $0.name == entry.name }
            runtimes.append(entry)
        }
        for text in flags.list("add-runtime") {
            let parts = text.split(separator: "=", maxSplits: 1).map { String($0) }
            guard parts.count == 2 else { throw DaemonError("invalid --add-runtime \(text): expected name=path") }
            if ["swrun", "io.containerd.runc.v2"].contains(parts[0]) {
                throw DaemonError("runtime name '\(parts[0])' is reserved")
            }
            add(RuntimeEntry(name: parts[0], path: parts[1]))
        }
        for member in file["runtimes"]?.members ?? [] {
            let shim = member.value["runtimeType"]?.string
            guard let path = member.value["path"]?.string ?? (shim == nil ? nil : "") else {
                throw DaemonError("runtime \(member.key): either path or runtimeType must be given")
            }
            let arguments = member.value["runtimeArgs"]?.strings ?? []
            guard shim == nil || arguments.isEmpty else {
                throw DaemonError("runtime \(member.key): args cannot be used with a runtimeType runtime")
            }
            add(
                RuntimeEntry(
                    name: member.key, path: path, arguments: arguments, shim: shim ?? "io.containerd.swrun.v2"))
        }
        return runtimes
    }
}

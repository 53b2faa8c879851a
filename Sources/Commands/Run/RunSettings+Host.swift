// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON

extension RunSettings {
    /// `HostConfig`: what depends on the host and is no part of the image's configuration.
    func hostConfig() throws -> JSONValue {
        let ports = try RunPorts(publish: flags.list("publish"), expose: flags.list("expose"))
        let storage = try RunStorage(flags)
        var host: JSONValue = [
            "Binds": .stringsOrNull(storage.binds),
            "ContainerIDFile": .string(flags.string("cidfile")),
            "LogConfig": [
                "Type": .string(flags.string("log-driver")), "Config": .map(try keyValues("log-opt")),
            ],
            "NetworkMode": .string(try networks().first?.name ?? "default"),
            "PortBindings": bindings(ports),
            "RestartPolicy": try restartPolicy(),
            "AutoRemove": .bool(removesAtExit),
            "VolumeDriver": .string(flags.string("volume-driver")),
            "VolumesFrom": .stringsOrNull(flags.list("volumes-from")),
            "ConsoleSize": [.int(consoleSize.height), .int(consoleSize.width)],
        ]
        if flags.isSet("annotation") { host.set("Annotations", .map(try keyValues("annotation"))) }
        try setNames(&host)
        try setIsolation(&host, storage)
        try setResources(&host)
        if !storage.mounts.isEmpty { host.set("Mounts", .array(storage.mounts)) }
        let unconfined = flags.list("security-opt").contains("systempaths=unconfined")
        host.set("MaskedPaths", unconfined ? [] : .null)
        host.set("ReadonlyPaths", unconfined ? [] : .null)
        if flags.isSet("init") { host.set("Init", .bool(flags.bool("init"))) }
        return host
    }

    private func setNames(_ host: inout JSONValue) throws {
        host.set("CapAdd", .stringsOrNull(capabilities(flags.list("cap-add"))))
        host.set("CapDrop", .stringsOrNull(capabilities(flags.list("cap-drop"))))
        host.set("CgroupnsMode", .string(flags.string("cgroupns")))
        host.set("Dns", .strings(flags.list("dns")))
        host.set("DnsOptions", .strings(flags.list(["dns-option", "dns-opt"])))
        host.set("DnsSearch", .strings(flags.list("dns-search")))
        host.set("ExtraHosts", .stringsOrNull(try flags.list("add-host").map(RunSettings.extraHost)))
        host.set("GroupAdd", .stringsOrNull(flags.list("group-add")))
        host.set("IpcMode", .string(flags.string("ipc")))
        host.set("Cgroup", "")
        host.set("Links", .stringsOrNull(flags.list("link")))
        host.set("OomScoreAdj", .int(Int64(flags.int("oom-score-adj"))))
        host.set("PidMode", .string(flags.string("pid")))
        host.set("Privileged", .bool(flags.bool("privileged")))
        host.set("PublishAllPorts", .bool(flags.bool("publish-all")))
        host.set("ReadonlyRootfs", .bool(flags.bool("read-only")))
    }

    private func setIsolation(_ host: inout JSONValue, _ storage: RunStorage) throws {
        let options = flags.list("security-opt").filter { $0 != "systempaths=unconfined" }
        host.set("SecurityOpt", .stringsOrNull(try options.map(RunSecurity.option)))
        if flags.isSet("storage-opt") { host.set("StorageOpt", .map(try keyValues("storage-opt"))) }
        if !storage.tmpfs.isEmpty { host.set("Tmpfs", .map(storage.tmpfs)) }
        host.set("UTSMode", .string(flags.string("uts")))
        host.set("UsernsMode", .string(flags.string("userns")))
        host.set("ShmSize", .int(bytes("shm-size")))
        if flags.isSet("sysctl") { host.set("Sysctls", .map(try keyValues("sysctl"))) }
        if !flags.string("runtime").isEmpty { host.set("Runtime", .string(flags.string("runtime"))) }
        host.set("Isolation", .string(flags.string("isolation")))
    }

    private func setResources(_ host: inout JSONValue) throws {
        host.set("CpuShares", .int(Int64(flags.int("cpu-shares"))))
        host.set("Memory", .int(bytes("memory")))
        host.set("NanoCpus", .int((try? Decimal.nano(flags.string("cpus"))) ?? 0))
        host.set("CgroupParent", .string(flags.string("cgroup-parent")))
        host.set("BlkioWeight", .int(Int64(flags.int("blkio-weight"))))
        host.set("BlkioWeightDevice", try RunDevices.weights(flags.list("blkio-weight-device")))
        host.set("BlkioDeviceReadBps", try RunDevices.rates(flags.list("device-read-bps"), inBytes: true))
        host.set("BlkioDeviceWriteBps", try RunDevices.rates(flags.list("device-write-bps"), inBytes: true))
        host.set("BlkioDeviceReadIOps", try RunDevices.rates(flags.list("device-read-iops"), inBytes: false))
        host.set("BlkioDeviceWriteIOps", try RunDevices.rates(flags.list("device-write-iops"), inBytes: false))
        host.set("CpuPeriod", .int(Int64(flags.int("cpu-period"))))
        host.set("CpuQuota", .int(Int64(flags.int("cpu-quota"))))
        host.set("CpuRealtimePeriod", .int(Int64(flags.int("cpu-rt-period"))))
        host.set("CpuRealtimeRuntime", .int(Int64(flags.int("cpu-rt-runtime"))))
        host.set("CpusetCpus", .string(flags.string("cpuset-cpus")))
        host.set("CpusetMems", .string(flags.string("cpuset-mems")))
        host.set("Devices", try RunDevices.mappings(flags.list("device")))
        host.set("DeviceCgroupRules", .stringsOrNull(flags.list("device-cgroup-rule")))
        host.set("DeviceRequests", try RunDevices.requests(gpus: flags.list("gpus"), devices: flags.list("device")))
        host.set("MemoryReservation", .int(bytes("memory-reservation")))
        host.set("MemorySwap", .int(flags.string("memory-swap") == "-1" ? -1 : bytes("memory-swap")))
        host.set("MemorySwappiness", .int(Int64(flags.int("memory-swappiness"))))
        host.set("OomKillDisable", .bool(flags.bool("oom-kill-disable")))
        host.set("PidsLimit", .int(Int64(flags.int("pids-limit"))))
        host.set("Ulimits", try RunDevices.ulimits(flags.list("ulimit")))
        host.set("CpuCount", .int(Int64(flags.int("cpu-count"))))
        host.set("CpuPercent", .int(Int64(flags.int("cpu-percent"))))
        host.set("IOMaximumIOps", .int(Int64(flags.int("io-maxiops"))))
        host.set("IOMaximumBandwidth", .int(bytes("io-maxbandwidth")))
    }

    // MARK: Parts

    private func bytes(_ flag: String) -> Int64 { (try? SizeText.parse(flags.string(flag))) ?? 0 }

    /// `key=value` flags; a missing value is empty.
    func keyValues(_ flag: String) throws -> [(key: String, value: String)] {
        flags.list(flag).map { entry in
            let (key, value) = entry.cut("=") ?? (entry, "")
            return (key, value)
        }
    }

    private func bindings(_ ports: RunPorts) -> JSONValue {
        var entries: [String: [JSONValue]] = [:]  // there may be all of the 65535
        for binding in ports.bindings {
            entries[binding.port, default: []].append(
                ["HostIp": .string(binding.hostIP), "HostPort": .string(binding.hostPort)])
        }
        return .sorted(entries.map { ($0.key, .array($0.value)) })
    }

    private func restartPolicy() throws -> JSONValue { try RunRestart.policy(flags.string("restart")) }

    /// Upper case with the `CAP_` prefix, sorted, each once; `ALL` stays as it is.
    private func capabilities(_ names: [String]) -> [String] {
        var list: [String] = []
        for name in names {
            let upper = name.trimmed.uppercased()
            let full = upper == "ALL" || upper.hasPrefix("CAP_") ? upper : "CAP_" + upper
            if !list.contains(full) { list.append(full) }
        }
        return list.sorted()
    }

    /// `name:ip` or `name=ip`, checked and written with a colon.
    static func extraHost(_ entry: String) throws -> String {
        guard let (name, address) = entry.cut("=") ?? entry.cut(":"), !name.isEmpty else {
            throw RunRefusal("bad format for add-host: " + entry.quoted)
        }
        let bare = address.hasPrefix("[") && address.hasSuffix("]") ? String(address.dropFirst().dropLast()) : address
        guard bare == "host-gateway" || IPPrefix.isAddress(bare) else {
            throw RunRefusal("invalid IP address in add-host: " + address.quoted)
        }
        return name + ":" + bare
    }
}

/// `--restart`: `no`, `always`, `unless-stopped`, `on-failure[:attempts]`.
enum RunRestart {
    static func policy(_ text: String) throws -> JSONValue {
        let (name, count) = text.cut(":") ?? (text, "")
        var attempts: Int64 = 0
        if text.contains(":") {
            if name.isEmpty { throw RunRefusal("invalid restart policy format: no policy provided before colon") }
            guard let number = Int64(count) else {
                throw RunRefusal("invalid restart policy format: maximum retry count must be an integer")
            }
            attempts = number
        }
        return ["Name": .string(name), "MaximumRetryCount": .int(attempts)]
    }
}

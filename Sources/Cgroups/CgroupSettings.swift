// SPDX-License-Identifier: Apache-2.0
package import OCISpec

/// One write to a file of a cgroup.
package struct CgroupSetting: Sendable, Equatable {
    /// The v1 controller whose hierarchy has the file; of no meaning for v2.
    package var controller: String
    package var file: String
    package var value: String
    /// What asked for it, for the error when the kernel has no such file.
    package var reason: String
    /// Whether a missing file is fine, because what it would set is already so.
    package var isOptional = false

    package init(_ controller: String, _ file: String, _ value: String, for reason: String, isOptional: Bool = false) {
        self.controller = controller
        self.file = file
        self.value = value
        self.reason = reason
        self.isOptional = isOptional
    }
}

/// Limits as cgroup v1 takes them (kernel: admin-guide/cgroup-v1). Devices and cpuset's inheritance are set elsewhere.
package func settingsV1(_ resources: RuntimeResources) -> [CgroupSetting] {
    memoryV1(resources.memory) + cpuV1(resources.cpu) + pids(resources.pidsLimit) + blockIOV1(resources.blockIO)
        + resources.hugepages.map {
            CgroupSetting("hugetlb", "hugetlb.\($0.pageSize).limit_in_bytes", String($0.limit), for: "hugepageLimits")
        } + network(resources.network) + rdma(resources.rdma)
}

private func network(_ network: RuntimeResources.Network) -> [CgroupSetting] {
    var settings: [CgroupSetting] = []
    if let number = network.classID, number != 0 {
        settings.append(CgroupSetting("net_cls", "net_cls.classid", String(number), for: "network.classID"))
    }
    for entry in network.priorities {
        let value = entry.interface + " " + String(entry.priority)
        settings.append(CgroupSetting("net_prio", "net_prio.ifpriomap", value, for: "network.priorities"))
    }
    return settings
}

/// The same file in both versions of cgroups.
private func rdma(_ devices: [RuntimeResources.RDMA]) -> [CgroupSetting] {
    devices.map { device in
        var value = device.device
        if let handles = device.handles { value += " hca_handle=" + String(handles) }
        if let objects = device.objects { value += " hca_object=" + String(objects) }
        return CgroupSetting("rdma", "rdma.max", value, for: "rdma")
    }
}

private func memoryV1(_ memory: RuntimeResources.Memory) -> [CgroupSetting] {
    var settings: [CgroupSetting] = []
    func add(_ file: String, _ value: String, _ reason: String, isOptional: Bool = false) {
        settings.append(CgroupSetting("memory", "memory." + file, value, for: reason, isOptional: isOptional))
    }
    if let limit = memory.limit, limit != 0 { add("limit_in_bytes", String(limit), "memory.limit") }
    if let swap = memory.swap, swap != 0 {
        add("memsw.limit_in_bytes", String(swap), "memory.swap", isOptional: swap < 0)
    }
    if let low = memory.reservation, low != 0 { add("soft_limit_in_bytes", String(low), "memory.reservation") }
    if let swappiness = memory.swappiness { add("swappiness", String(swappiness), "memory.swappiness") }
    if memory.disableOOMKiller == true { add("oom_control", "1", "memory.disableOOMKiller") }
    return settings
}

private func cpuV1(_ cpu: RuntimeResources.CPU) -> [CgroupSetting] {
    var settings: [CgroupSetting] = []
    func add(_ file: String, _ value: String, _ reason: String) {
        settings.append(CgroupSetting("cpu", file, value, for: reason))
    }
    if let shares = cpu.shares, shares != 0 { add("cpu.shares", String(shares), "cpu.shares") }
    if let period = cpu.period, period != 0 { add("cpu.cfs_period_us", String(period), "cpu.period") }
    if let quota = cpu.quota, quota != 0 { add("cpu.cfs_quota_us", String(quota), "cpu.quota") }
    if let burst = cpu.burst { add("cpu.cfs_burst_us", String(burst), "cpu.burst") }
    if let idle = cpu.idle { add("cpu.idle", String(idle), "cpu.idle") }
    if let period = cpu.realtimePeriod, period != 0 { add("cpu.rt_period_us", String(period), "cpu.realtimePeriod") }
    if let run = cpu.realtimeRuntime, run != 0 { add("cpu.rt_runtime_us", String(run), "cpu.realtimeRuntime") }
    if !cpu.cpus.isEmpty { settings.append(CgroupSetting("cpuset", "cpuset.cpus", cpu.cpus, for: "cpu.cpus")) }
    if !cpu.mems.isEmpty { settings.append(CgroupSetting("cpuset", "cpuset.mems", cpu.mems, for: "cpu.mems")) }
    return settings
}

private func pids(_ limit: Int64?) -> [CgroupSetting] {
    guard let limit, limit != 0 else { return [] }
    let text = limit < 0 ? "max" : String(limit)
    return [CgroupSetting("pids", "pids.max", text, for: "pids.limit", isOptional: limit < 0)]
}

private func blockIOV1(_ io: RuntimeResources.BlockIO) -> [CgroupSetting] {
    var settings: [CgroupSetting] = []
    if let weight = io.weight, weight != 0 {
        // Each I/O scheduler has a file of its own, and most have none: then there is nothing to weigh.
        for file in ["blkio.weight", "blkio.bfq.weight"] {
            settings.append(
                CgroupSetting("blkio", file, String(weight), for: "blockIO.weight", isOptional: true))
        }
    }
    for device in io.deviceWeights {
        let value = "\(device.major):\(device.minor) \(device.weight)"
        for file in ["blkio.weight_device", "blkio.bfq.weight_device"] {
            settings.append(CgroupSetting("blkio", file, value, for: "blockIO.weightDevice", isOptional: true))
        }
    }
    let lists = [
        ("read_bps", io.readBytes), ("write_bps", io.writeBytes), ("read_iops", io.readOperations),
        ("write_iops", io.writeOperations),
    ]
    for (name, list) in lists {
        for limit in list {
            let value = "\(limit.major):\(limit.minor) \(limit.rate)"
            settings.append(CgroupSetting("blkio", "blkio.throttle.\(name)_device", value, for: "blockIO.throttle"))
        }
    }
    return settings
}

/// Limits as cgroup v2 takes them (kernel: admin-guide/cgroup-v2).
package func settingsV2(_ resources: RuntimeResources) -> [CgroupSetting] {
    memoryV2(resources.memory) + cpuV2(resources.cpu) + pids(resources.pidsLimit) + blockIOV2(resources.blockIO)
        + resources.hugepages.map {
            CgroupSetting("hugetlb", "hugetlb.\($0.pageSize).max", String($0.limit), for: "hugepageLimits")
        }
        + network(resources.network) + rdma(resources.rdma)
        + resources.unified.map { CgroupSetting("unified", $0.key, $0.value, for: "unified." + $0.key) }
}

private func limitText(_ value: Int64) -> String { value < 0 ? "max" : String(value) }

private func memoryV2(_ memory: RuntimeResources.Memory) -> [CgroupSetting] {
    var settings: [CgroupSetting] = []
    if let swap = memory.swap, swap != 0 {
        // The spec's number counts memory and swap together, the kernel's swap alone.
        let alone = swap < 0 ? -1 : max(0, swap - max(0, memory.limit ?? 0))
        let isOptional = alone <= 0
        settings.append(
            CgroupSetting("memory", "memory.swap.max", limitText(alone), for: "memory.swap", isOptional: isOptional))
    }
    if let limit = memory.limit, limit != 0 {
        settings.append(CgroupSetting("memory", "memory.max", limitText(limit), for: "memory.limit"))
    }
    if let low = memory.reservation, low != 0 {
        settings.append(CgroupSetting("memory", "memory.low", limitText(low), for: "memory.reservation"))
    }
    return settings
}

private func cpuV2(_ cpu: RuntimeResources.CPU) -> [CgroupSetting] {
    var settings: [CgroupSetting] = []
    func add(_ file: String, _ value: String, _ reason: String) {
        settings.append(CgroupSetting("cpu", file, value, for: reason))
    }
    if let idle = cpu.idle { add("cpu.idle", String(idle), "cpu.idle") }
    if let shares = cpu.shares, shares != 0 { add("cpu.weight", String(weight(shares: shares)), "cpu.shares") }
    if cpu.quota ?? 0 != 0 || cpu.period ?? 0 != 0 {
        let quota = cpu.quota ?? 0
        let text = (quota > 0 ? String(quota) : "max") + ((cpu.period ?? 0) == 0 ? "" : " " + String(cpu.period ?? 0))
        add("cpu.max", text, "cpu.quota")
    }
    if let burst = cpu.burst { add("cpu.max.burst", String(burst), "cpu.burst") }
    if !cpu.cpus.isEmpty { settings.append(CgroupSetting("cpuset", "cpuset.cpus", cpu.cpus, for: "cpu.cpus")) }
    if !cpu.mems.isEmpty { settings.append(CgroupSetting("cpuset", "cpuset.mems", cpu.mems, for: "cpu.mems")) }
    return settings
}

/// cpu.weight (1…10000, default 100) for v1's shares (2…262144, default 1024): the curve through those three points
/// that runc has drawn since 1.4 and crun since 1.23, a parabola in the logarithms.
package func weight(shares: UInt64) -> UInt64 {
    if shares <= 2 { return 1 }
    if shares >= 262_144 { return 10_000 }
    let log = binaryLogarithm(shares)
    let exponent = (log * log + 125 * log) / 612 - 7.0 / 34
    // What is a whole number but for the rounding of the last digits shall stay one.
    let value = binaryPower(exponent * 3.321928094887362) - 1e-6  // log2(10)
    let whole = UInt64(value)
    return Double(whole) < value ? whole + 1 : whole
}

/// libm's own would be a twentieth of the runtime.
private func binaryLogarithm(_ number: UInt64) -> Double {
    let whole = 63 - number.leadingZeroBitCount
    var rest = Double(number) / Double(UInt64(1) << UInt64(whole))
    var result = Double(whole)
    var digit = 0.5
    for _ in 0..<40 {
        rest *= rest
        if rest >= 2 {
            rest /= 2
            result += digit
        }
        digit /= 2
    }
    return result
}

/// For exponents from 0 to 62.
private func binaryPower(_ exponent: Double) -> Double {
    let whole = UInt64(exponent)
    let rest = (exponent - Double(whole)) * 0.6931471805599453  // ln(2)
    var (term, sum) = (1.0, 1.0)
    for number in 1...20 {
        term *= rest / Double(number)
        sum += term
    }
    return sum * Double(UInt64(1) << whole)
}

private func blockIOV2(_ io: RuntimeResources.BlockIO) -> [CgroupSetting] {
    var settings: [CgroupSetting] = []
    if let weight = io.weight, weight != 0 {
        // As with v1; io.weight goes from 1 to 10000 where the spec's goes from 10 to 1000.
        let wide = 1 + (max(UInt64(weight), 10) - 10) * 9999 / 990
        for (file, value) in [("io.bfq.weight", UInt64(weight)), ("io.weight", wide)] {
            settings.append(CgroupSetting("io", file, String(value), for: "blockIO.weight", isOptional: true))
        }
    }
    for device in io.deviceWeights {
        let value = "\(device.major):\(device.minor) \(device.weight)"
        settings.append(CgroupSetting("io", "io.bfq.weight", value, for: "blockIO.weightDevice", isOptional: true))
    }
    let lists = [
        ("rbps", io.readBytes), ("wbps", io.writeBytes), ("riops", io.readOperations), ("wiops", io.writeOperations),
    ]
    for (name, list) in lists {
        for limit in list {
            let value = "\(limit.major):\(limit.minor) \(name)=\(limit.rate)"
            settings.append(CgroupSetting("io", "io.max", value, for: "blockIO.throttle"))
        }
    }
    return settings
}

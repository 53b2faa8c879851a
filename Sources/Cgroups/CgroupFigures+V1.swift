// SPDX-License-Identifier: Apache-2.0
// Figures of cgroup version 1 (kernel: admin-guide/cgroup-v1).

private let nanosecondsPerTick: UInt64 = 10_000_000  // USER_HZ is 100 on every architecture that Linux has left

extension CgroupFigures {
    func readV1() -> CgroupStatistics {
        var statistics = CgroupStatistics(isUnified: false)
        statistics.cpu = cpuV1()
        statistics.memory = memoryV1()
        statistics.pids.current = value("pids", "pids.current") ?? 0
        statistics.pids.limit = value("pids", "pids.max")
        statistics.blockIO = blockIOV1()
        for size in hugepageSizes("usage_in_bytes") {
            var pages = CgroupStatistics.Hugepages(pageSize: size)
            pages.level = level("hugetlb", "hugetlb.\(size).", limit: "limit_in_bytes")
            statistics.hugepages.append(pages)
        }
        return statistics
    }

    private func cpuV1() -> CgroupStatistics.CPU {
        var cpu = CgroupStatistics.CPU()
        cpu.total = value("cpuacct", "cpuacct.usage") ?? 0
        let ticks = counters("cpuacct", "cpuacct.stat")
        cpu.kernel = ticks["system"] &* nanosecondsPerTick
        cpu.user = ticks["user"] &* nanosecondsPerTick
        cpu.perProcessor = text("cpuacct", "cpuacct.usage_percpu").utf8.split { $0 == 32 || $0 == 10 }
            .compactMap { number($0) }
        // cpu user system
        for line in text("cpuacct", "cpuacct.usage_all").utf8.split(separator: UInt8(ascii: "\n")).dropFirst() {
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count == 3, let user = number(words[1]), let kernel = number(words[2]) else { continue }
            cpu.perProcessorUser.append(user)
            cpu.perProcessorKernel.append(kernel)
        }
        let throttling = counters("cpu", "cpu.stat")
        cpu.periods = throttling["nr_periods"]
        cpu.throttledPeriods = throttling["nr_throttled"]
        cpu.throttledTime = throttling["throttled_time"]
        return cpu
    }

    private func memoryV1() -> CgroupStatistics.Memory {
        var memory = CgroupStatistics.Memory()
        memory.counters = counters("memory", "memory.stat")
        memory.usage = level("memory", "memory.", limit: "limit_in_bytes")
        memory.swap = level("memory", "memory.memsw.", limit: "limit_in_bytes")
        memory.kernel = level("memory", "memory.kmem.", limit: "limit_in_bytes")
        memory.kernelTCP = level("memory", "memory.kmem.tcp.", limit: "limit_in_bytes")
        memory.events = counters("memory", "memory.oom_control")
        return memory
    }

    private func level(_ controller: String, _ prefix: String, limit: String) -> CgroupStatistics.Level {
        var level = CgroupStatistics.Level()
        level.usage = value(controller, prefix + "usage_in_bytes") ?? 0
        level.peak = value(controller, prefix + "max_usage_in_bytes") ?? 0
        level.failures = value(controller, prefix + "failcnt") ?? 0
        level.limit = value(controller, prefix + limit) ?? 0
        return level
    }

    /// The I/O scheduler counts best; without a counting one there are the throttle layer's two counters.
    private func blockIOV1() -> CgroupStatistics.BlockIO {
        var io = CgroupStatistics.BlockIO()
        for prefix in ["blkio.", "blkio.bfq.", "blkio.throttle."] {
            func entries(_ name: String) -> [CgroupStatistics.BlockIO.Entry] {
                blockIOEntries(text("blkio", prefix + name + "_recursive"))
            }
            io.serviced = entries("io_serviced")
            io.serviceBytes = entries("io_service_bytes")
            if io.serviced.isEmpty && io.serviceBytes.isEmpty { continue }
            io.queued = entries("io_queued")
            io.serviceTime = entries("io_service_time")
            io.waitTime = entries("io_wait_time")
            io.merged = entries("io_merged")
            io.time = entries("time")
            io.sectors = entries("sectors")
            break
        }
        return io
    }
}

/// Lines `8:0 Read 4096` and `8:0 4096`; the sum over all devices at the end is left out.
func blockIOEntries(_ text: String) -> [CgroupStatistics.BlockIO.Entry] {
    var entries: [CgroupStatistics.BlockIO.Entry] = []
    for line in Substring(text).utf8.split(separator: UInt8(ascii: "\n")) {
        let words = line.split(separator: UInt8(ascii: " "))
        guard words.count == 2 || words.count == 3, let device = deviceNumbers(words[0]),
            let value = number(words[words.count - 1])
        else { continue }
        let operation = words.count == 3 ? String(decoding: words[1], as: UTF8.self) : ""
        entries.append(.init(major: device.major, minor: device.minor, operation: operation, value: value))
    }
    return entries
}

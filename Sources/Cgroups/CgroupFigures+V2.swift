// SPDX-License-Identifier: Apache-2.0
// Figures of cgroup version 2 (kernel: admin-guide/cgroup-v2).

extension CgroupFigures {
    func readUnified() -> CgroupStatistics {
        var statistics = CgroupStatistics(isUnified: true)
        statistics.cpu = cpuV2()
        statistics.memory = memoryV2()
        statistics.pids.current = value("pids", "pids.current") ?? 0
        statistics.pids.limit = value("pids", "pids.max")
        statistics.blockIO = blockIOV2(text("io", "io.stat"))
        for size in hugepageSizes("current") {
            var pages = CgroupStatistics.Hugepages(pageSize: size)
            pages.level.usage = value("hugetlb", "hugetlb.\(size).current") ?? 0
            pages.level.limit = value("hugetlb", "hugetlb.\(size).max") ?? .max
            pages.level.failures = counters("hugetlb", "hugetlb.\(size).events")["max"]
            statistics.hugepages.append(pages)
        }
        return statistics
    }

    private func cpuV2() -> CgroupStatistics.CPU {
        let counters = counters("cpu", "cpu.stat")
        var cpu = CgroupStatistics.CPU()
        cpu.total = counters["usage_usec"] &* 1000
        cpu.kernel = counters["system_usec"] &* 1000
        cpu.user = counters["user_usec"] &* 1000
        cpu.periods = counters["nr_periods"]
        cpu.throttledPeriods = counters["nr_throttled"]
        cpu.throttledTime = counters["throttled_usec"] &* 1000
        return cpu
    }

    private func memoryV2() -> CgroupStatistics.Memory {
        var memory = CgroupStatistics.Memory()
        memory.counters = counters("memory", "memory.stat")
        memory.events = counters("memory", "memory.events")
        memory.usage = level("memory.")
        memory.usage.failures = memory.events["max"]
        memory.swap = level("memory.swap.")
        memory.swap.failures = counters("memory", "memory.swap.events")["max"]
        return memory
    }

    private func level(_ prefix: String) -> CgroupStatistics.Level {
        var level = CgroupStatistics.Level()
        let usage = value("memory", prefix + "current")
        level.usage = usage ?? 0
        level.peak = value("memory", prefix + "peak") ?? 0
        level.limit = value("memory", prefix + "max") ?? (usage == nil ? 0 : .max)
        return level
    }
}

/// Lines `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
func blockIOV2(_ text: String) -> CgroupStatistics.BlockIO {
    var io = CgroupStatistics.BlockIO()
    for line in Substring(text).utf8.split(separator: UInt8(ascii: "\n")) {
        let words = line.split(separator: UInt8(ascii: " "))
        guard words.count > 1, let device = deviceNumbers(words[0]) else { continue }
        for word in words.dropFirst() {
            let parts = word.split(separator: UInt8(ascii: "="))
            guard parts.count == 2, let value = number(parts[1]) else { continue }
            func entry(_ operation: String) -> CgroupStatistics.BlockIO.Entry {
                .init(major: device.major, minor: device.minor, operation: operation, value: value)
            }
            switch String(decoding: parts[0], as: UTF8.self) {
            case "rbytes": io.serviceBytes.append(entry("Read"))
            case "wbytes": io.serviceBytes.append(entry("Write"))
            case "rios": io.serviced.append(entry("Read"))
            case "wios": io.serviced.append(entry("Write"))
            default: break
            }
        }
    }
    return io
}

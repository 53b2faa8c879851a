// SPDX-License-Identifier: Apache-2.0
import Cgroups
import JSON

extension CgroupStatistics {
    /// The `data` of a `stats` event in runc's form: what is zero is mostly left out.
    func runtimeJSON(_ figures: CgroupFigures, resctrl: JSONValue = [:]) -> JSONValue {
        var throttling: JSONValue = [:]
        throttling.put("periods", cpu.periods)
        throttling.put("throttledPeriods", cpu.throttledPeriods)
        throttling.put("throttledTime", cpu.throttledTime)
        var pids: JSONValue = [:]
        pids.put("current", self.pids.current)
        pids.put("limit", self.pids.limit ?? 0)
        var pages: JSONValue = [:]
        for size in hugepages { pages.set(size.pageSize, size.level.json(withLimit: false)) }
        func withPressure(_ value: JSONValue, _ resource: String) -> JSONValue {
            guard let pressure = pressureJSON(figures.pressure(resource)) else { return value }
            var value = value
            value.set("psi", pressure)
            return value
        }
        return [
            "cpu": withPressure(["usage": usage, "throttling": throttling], "cpu"), "cpuset": figures.processorsJSON,
            "memory": withPressure(memoryJSON, "memory"), "pids": pids, "blkio": withPressure(blockIOJSON, "io"),
            "hugetlb": pages, "intel_rdt": resctrl, "network_interfaces": nil,
        ]
    }

    private var usage: JSONValue {
        var usage: JSONValue = [:]
        usage.put("total", cpu.total)
        let lists = [
            ("percpu", cpu.perProcessor), ("percpu_kernel", cpu.perProcessorKernel),
            ("percpu_user", cpu.perProcessorUser),
        ]
        for (name, list) in lists where !list.isEmpty { usage.set(name, .array(list.map { .unsigned($0) })) }
        usage.set("kernel", .unsigned(cpu.kernel))
        usage.set("user", .unsigned(cpu.user))
        return usage
    }

    private var memoryJSON: JSONValue {
        var value: JSONValue = [:]
        value.put("cache", memory.counters[isUnified ? "file" : "cache"])
        value.set("usage", memory.usage.json(withLimit: true))
        value.set("swap", memory.swap.json(withLimit: true))
        value.set("kernel", memory.kernel.json(withLimit: true))
        value.set("kernelTCP", memory.kernelTCP.json(withLimit: true))
        value.set("raw", .sorted(memory.counters.all.map { ($0.name, .unsigned($0.value)) }))
        return value
    }

    private var blockIOJSON: JSONValue {
        let lists = [
            ("ioServiceBytesRecursive", blockIO.serviceBytes), ("ioServicedRecursive", blockIO.serviced),
            ("ioQueueRecursive", blockIO.queued), ("ioServiceTimeRecursive", blockIO.serviceTime),
            ("ioWaitTimeRecursive", blockIO.waitTime), ("ioMergedRecursive", blockIO.merged),
            ("ioTimeRecursive", blockIO.time), ("sectorsRecursive", blockIO.sectors),
        ]
        var value: JSONValue = [:]
        for (name, entries) in lists where !entries.isEmpty {
            value.set(name, .array(entries.map { $0.json }))
        }
        return value
    }
}

/// Lines `some avg10=0.12 avg60=0.05 avg300=0.01 total=12345`; nil if there is none.
func pressureJSON(_ text: String) -> JSONValue? {
    if text.isEmpty { return Optional.none }  // `nil` would be JSON's null
    var result: JSONValue = [:]
    for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        var figures: JSONValue = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=")
            guard parts.count == 2, parts[1].utf8.allSatisfy({ $0 == 46 || $0 >= 48 && $0 <= 57 }) else { continue }
            // Go writes no zeros behind the point.
            var digits = String(parts[1])
            while digits.utf8.contains(46), digits.hasSuffix("0") { digits.removeLast() }
            if digits.hasSuffix(".") { digits.removeLast() }
            figures.set(String(parts[0]), Int64(digits).map { .int($0) } ?? .number(text: digits))
        }
        if let kind = words.first { result.set(String(kind), figures) }
    }
    return result
}

extension CgroupStatistics.BlockIO.Entry {
    fileprivate var json: JSONValue {
        var entry: JSONValue = [:]
        entry.put("major", major)
        entry.put("minor", minor)
        if !operation.isEmpty { entry.set("op", .string(operation)) }
        entry.put("value", value)
        return entry
    }
}

extension CgroupStatistics.Level {
    /// Huge pages have no limit in runc's form.
    fileprivate func json(withLimit: Bool) -> JSONValue {
        var level: JSONValue = [:]
        if withLimit { level.set("limit", .unsigned(limit)) }
        level.put("usage", usage)
        level.put("max", peak)
        level.set("failcnt", .unsigned(failures))
        return level
    }
}

extension CgroupFigures {
    /// The cpuset of version 1: its lists as numbers, its switches as 0 and 1. With version 2 no lists and all zeros.
    fileprivate var processorsJSON: JSONValue {
        var value: JSONValue = [:]
        put(&value, list: "cpus")
        value.set("cpu_exclusive", cpuset("cpu_exclusive"))
        put(&value, list: "mems")
        value.set("mem_hardwall", cpuset("mem_hardwall"))
        value.set("mem_exclusive", cpuset("mem_exclusive"))
        for name in [
            "memory_migrate", "memory_spread_page", "memory_spread_slab", "memory_pressure", "sched_load_balance",
            "sched_relax_domain_level",
        ] { value.set(name, cpuset(name)) }
        return value
    }

    private func cpuset(_ file: String) -> JSONValue { .int(Int64(text(cpusetFile: file)) ?? 0) }

    private func put(_ value: inout JSONValue, list name: String) {
        if isUnified { return }
        let numbers = expandedList(text(cpusetFile: name))
        if !numbers.isEmpty { value.set(name, .array(numbers.map { .unsigned($0) })) }
    }
}

extension JSONValue {
    fileprivate mutating func put(_ key: String, _ number: UInt64) {
        if number != 0 { set(key, .unsigned(number)) }
    }
}

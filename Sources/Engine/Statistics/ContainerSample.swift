// SPDX-License-Identifier: Apache-2.0
import Cgroups
package import JSON
import LinuxSystem

/// What a container uses at one moment; of one that does not run nothing is known.
package struct ContainerSample: Sendable, Equatable {
    struct Usage: Sendable, Equatable {
        var read: Timestamp
        var figures: CgroupStatistics
        var processors: HostProcessors
        var interfaces: [InterfaceCounters]
        /// Bytes of RAM that the machine has.
        var machineMemory: UInt64
    }

    var usage: Usage?

    static let stopped = ContainerSample(usage: nil)

    /// docker's document, with its order of members.
    ///
    /// - Parameter previous: the sample before this one, for the client to see what has changed; nil for the first.
    package func json(name: String, id: String, previous: ContainerSample?) -> JSONValue {
        var value: JSONValue = [
            "read": .string(time), "preread": .string(previous?.time ?? Self.never), "pids_stats": pids,
            "blkio_stats": blockIO, "num_procs": 0, "storage_stats": [:], "cpu_stats": processors,
            "precpu_stats": (previous ?? .stopped).processors, "memory_stats": memory,
            "name": .string("/" + name), "id": .string(id),
        ]
        if let networks { value.set("networks", networks) }
        return value
    }

    private static let never = "0001-01-01T00:00:00Z"

    private var time: String { usage?.read.rfc3339() ?? Self.never }

    private var pids: JSONValue {
        guard let usage else { return [:] }
        let limit = usage.figures.pids.limit ?? (usage.figures.isUnified ? .max : 0)
        return .nonZero([("current", usage.figures.pids.current), ("limit", limit)])
    }

    private var processors: JSONValue {
        let cpu = usage?.figures.cpu ?? CgroupStatistics.CPU()
        var spent: JSONValue = ["total_usage": .unsigned(cpu.total)]
        if !cpu.perProcessor.isEmpty { spent.set("percpu_usage", .array(cpu.perProcessor.map { .unsigned($0) })) }
        spent.set("usage_in_kernelmode", .unsigned(cpu.kernel))
        spent.set("usage_in_usermode", .unsigned(cpu.user))
        var value: JSONValue = ["cpu_usage": spent]
        if let host = usage?.processors {
            value.set("system_cpu_usage", .unsigned(host.time))
            value.set("online_cpus", .int(Int64(host.online)))
        }
        value.set(
            "throttling_data",
            [
                "periods": .unsigned(cpu.periods), "throttled_periods": .unsigned(cpu.throttledPeriods),
                "throttled_time": .unsigned(cpu.throttledTime),
            ])
        return value
    }

    /// Without a limit of its own a container may use all that the machine has.
    private var memory: JSONValue {
        guard let usage else { return [:] }
        let memory = usage.figures.memory
        var value: JSONValue = .nonZero([
            ("usage", memory.usage.usage), ("max_usage", usage.figures.isUnified ? 0 : memory.usage.peak),
        ])
        value.set("stats", .sorted(memory.counters.all.map { ($0.name, .unsigned($0.value)) }))
        let limit = usage.machineMemory == 0 ? memory.usage.limit : min(memory.usage.limit, usage.machineMemory)
        for (key, number) in [("failcnt", usage.figures.isUnified ? 0 : memory.usage.failures), ("limit", limit)] {
            if number != 0 { value.set(key, .unsigned(number)) }
        }
        return value
    }

    private var blockIO: JSONValue {
        let io = usage?.figures.blockIO ?? CgroupStatistics.BlockIO()
        let isUnified = usage?.figures.isUnified ?? true
        func list(_ entries: [CgroupStatistics.BlockIO.Entry], isKnown: Bool) -> JSONValue {
            guard isKnown else { return .null }
            return .array(
                entries.map { entry in
                    [
                        "major": .unsigned(entry.major), "minor": .unsigned(entry.minor),
                        "op": .string(isUnified ? entry.operation.lowercased() : entry.operation),
                        "value": .unsigned(entry.value),
                    ]
                })
        }
        let bytes = io.serviceBytes
        let isV1 = !isUnified
        return [
            "io_service_bytes_recursive": list(bytes, isKnown: isV1 || !bytes.isEmpty),
            "io_serviced_recursive": list(io.serviced, isKnown: isV1),
            "io_queue_recursive": list(io.queued, isKnown: isV1),
            "io_service_time_recursive": list(io.serviceTime, isKnown: isV1),
            "io_wait_time_recursive": list(io.waitTime, isKnown: isV1),
            "io_merged_recursive": list(io.merged, isKnown: isV1), "io_time_recursive": list(io.time, isKnown: isV1),
            "sectors_recursive": list(io.sectors, isKnown: isV1),
        ]
    }

    private var networks: JSONValue? {
        guard let interfaces = usage?.interfaces, !interfaces.isEmpty else { return nil }
        return .sorted(
            interfaces.map { interface in
                var value: JSONValue = [:]
                for (prefix, numbers) in [("rx_", interface.received), ("tx_", interface.sent)] {
                    for (name, number) in zip(["bytes", "packets", "errors", "dropped"], numbers) {
                        value.set(prefix + name, .unsigned(number))
                    }
                }
                return (interface.name, value)
            })
    }
}

extension JSONValue {
    /// An object of those numbers that are not zero.
    fileprivate static func nonZero(_ pairs: [(key: String, value: UInt64)]) -> JSONValue {
        var value: JSONValue = [:]
        for (key, number) in pairs where number != 0 { value.set(key, .unsigned(number)) }
        return value
    }
}

// SPDX-License-Identifier: Apache-2.0
// A container's figures as io.containerd.cgroups.v2.Metrics.
import Cgroups
import TTRPC

/// The lines of memory.stat, in the order of the fields 1 to 31 of io.containerd.cgroups.v2.MemoryStat.
private let memoryFields = [
    "anon", "file", "kernel_stack", "slab", "sock", "shmem", "file_mapped", "file_dirty", "file_writeback", "anon_thp",
    "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable", "slab_reclaimable",
    "slab_unreclaimable", "pgfault", "pgmajfault", "workingset_refault", "workingset_activate",
    "workingset_nodereclaim", "pgrefill", "pgscan", "pgsteal", "pgactivate", "pgdeactivate", "pglazyfree",
    "pglazyfreed", "thp_fault_alloc", "thp_collapse_alloc",
]

private let eventFields = ["low", "high", "max", "oom", "oom_kill"]

extension CgroupStatistics {
    static let messageNameV2 = "io.containerd.cgroups.v2.Metrics"

    func encodedV2() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(1) { message in
            message.uint64(1, pids.current)
            message.uint64(2, pids.limit ?? .max)
        }
        writer.message(2) { message in
            let times = [cpu.total / 1000, cpu.user / 1000, cpu.kernel / 1000]
            for (index, number) in (times + [cpu.periods, cpu.throttledPeriods, cpu.throttledTime / 1000]).enumerated()
            {
                message.uint64(UInt32(index + 1), number)
            }
        }
        writer.message(4) { message in
            message.counters(memory.counters, memoryFields)
            let levels = [memory.usage.usage, memory.usage.limit, memory.swap.usage, memory.swap.limit]
            for (index, number) in (levels + [memory.usage.peak, memory.swap.peak]).enumerated() {
                message.uint64(UInt32(32 + index), number)
            }
        }
        writer.message(6) { message in encodeDevices(into: &message) }
        for pages in hugepages {
            writer.message(7) { message in
                message.uint64(1, pages.level.usage)
                message.uint64(2, pages.level.limit)
                message.string(3, pages.pageSize)
                message.uint64(4, pages.level.failures)
            }
        }
        writer.message(8) { $0.counters(memory.events, eventFields) }
        return writer.bytes
    }

    /// One message for each device, with its four counters.
    private func encodeDevices(into writer: inout ProtobufWriter) {
        var seen: [(major: UInt64, minor: UInt64)] = []
        for device in blockIO.serviceBytes + blockIO.serviced {
            if seen.contains(where: { $0.major == device.major && $0.minor == device.minor }) { continue }
            seen.append((device.major, device.minor))
            func value(_ list: [BlockIO.Entry], _ operation: String) -> UInt64 {
                for entry in list where entry.major == device.major && entry.minor == device.minor {
                    if entry.operation == operation { return entry.value }
                }
                return 0
            }
            writer.message(1) { message in
                message.uint64(1, device.major)
                message.uint64(2, device.minor)
                message.uint64(3, value(blockIO.serviceBytes, "Read"))
                message.uint64(4, value(blockIO.serviceBytes, "Write"))
                message.uint64(5, value(blockIO.serviced, "Read"))
                message.uint64(6, value(blockIO.serviced, "Write"))
            }
        }
    }

    init(decodingV2 bytes: [UInt8]) throws(ProtobufError) {
        self.init(isUnified: true)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1, 2, 4, 8: try decodeNumbers(field.number, try NumberFields(try field.slice()))
            case 6: try decodeDevices(try field.slice())
            case 7: hugepages.append(try Hugepages(decodingV2: try field.slice()))
            default: break
            }
        }
    }

    private mutating func decodeNumbers(_ field: UInt32, _ numbers: NumberFields) throws(ProtobufError) {
        switch field {
        case 1:
            pids.current = numbers[1]
            pids.limit = numbers[2] == .max ? nil : numbers[2]
        case 2:
            (cpu.total, cpu.user, cpu.kernel) = (numbers[1] &* 1000, numbers[2] &* 1000, numbers[3] &* 1000)
            (cpu.periods, cpu.throttledPeriods) = (numbers[4], numbers[5])
            cpu.throttledTime = numbers[6] &* 1000
        case 4:
            memory.counters = numbers.counters(memoryFields)
            (memory.usage.usage, memory.usage.limit) = (numbers[32], numbers[33])
            (memory.swap.usage, memory.swap.limit) = (numbers[34], numbers[35])
            (memory.usage.peak, memory.swap.peak) = (numbers[36], numbers[37])
        default: memory.events = numbers.counters(eventFields)
        }
    }

    private mutating func decodeDevices(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            let numbers = try NumberFields(try field.slice())
            func entry(_ operation: String, _ number: UInt32) -> BlockIO.Entry {
                .init(major: numbers[1], minor: numbers[2], operation: operation, value: numbers[number])
            }
            blockIO.serviceBytes += [entry("Read", 3), entry("Write", 4)]
            blockIO.serviced += [entry("Read", 5), entry("Write", 6)]
        }
    }
}

extension CgroupStatistics.Hugepages {
    fileprivate init(decodingV2 bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        self.init(pageSize: "")
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: level.usage = try field.uint64()
            case 2: level.limit = try field.uint64()
            case 3: pageSize = try field.string()
            case 4: level.failures = try field.uint64()
            default: break
            }
        }
    }
}

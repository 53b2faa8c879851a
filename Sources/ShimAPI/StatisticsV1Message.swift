// SPDX-License-Identifier: Apache-2.0
// A container's figures as io.containerd.cgroups.v1.Metrics.
import Cgroups
import TTRPC

/// The lines of memory.stat, in the order of the fields 1 to 32 of io.containerd.cgroups.v1.MemoryStat.
private let memoryFields = [
    "cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout", "pgfault", "pgmajfault",
    "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable", "hierarchical_memory_limit",
    "hierarchical_memsw_limit", "total_cache", "total_rss", "total_rss_huge", "total_mapped_file", "total_dirty",
    "total_writeback", "total_pgpgin", "total_pgpgout", "total_pgfault", "total_pgmajfault", "total_inactive_anon",
    "total_active_anon", "total_inactive_file", "total_active_file", "total_unevictable",
]

private let eventFields = ["oom_kill_disable", "under_oom", "oom_kill"]

extension CgroupStatistics {
    static let messageNameV1 = "io.containerd.cgroups.v1.Metrics"

    func encodedV1() -> [UInt8] {
        var writer = ProtobufWriter()
        for pages in hugepages {
            writer.message(1) { message in
                message.uint64(1, pages.level.usage)
                message.uint64(2, pages.level.peak)
                message.uint64(3, pages.level.failures)
                message.string(4, pages.pageSize)
            }
        }
        writer.message(2) { message in
            message.uint64(1, pids.current)
            message.uint64(2, pids.limit ?? 0)
        }
        writer.message(3) { message in cpu.encode(into: &message) }
        writer.message(4) { message in
            message.counters(memory.counters, memoryFields)
            for (field, level) in [memory.usage, memory.swap, memory.kernel, memory.kernelTCP].enumerated() {
                message.message(UInt32(33 + field)) { level.encode(into: &$0) }
            }
        }
        writer.message(5) { message in
            for (index, list) in blockIO.lists.enumerated() {
                for entry in list { message.message(UInt32(index + 1)) { entry.encode(into: &$0) } }
            }
        }
        writer.message(9) { $0.counters(memory.events, eventFields) }
        return writer.bytes
    }

    init(decodingV1 bytes: [UInt8]) throws(ProtobufError) {
        self.init(isUnified: false)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: hugepages.append(try Hugepages(decodingV1: try field.slice()))
            case 2:
                let counts = try NumberFields(try field.slice())
                pids.current = counts[1]
                pids.limit = counts[2] == 0 ? nil : counts[2]
            case 3: try cpu.decode(try field.slice())
            case 4: try memory.decodeV1(try field.slice())
            case 5: try blockIO.decode(try field.slice())
            case 9: memory.events = try NumberFields(try field.slice()).counters(eventFields)
            default: break
            }
        }
    }
}

// MARK: Parts

extension CgroupStatistics.CPU {
    fileprivate func encode(into writer: inout ProtobufWriter) {
        writer.message(1) { message in
            message.uint64(1, total)
            message.uint64(2, kernel)
            message.uint64(3, user)
            message.packed(4, perProcessor)
        }
        writer.message(2) { message in
            message.uint64(1, periods)
            message.uint64(2, throttledPeriods)
            message.uint64(3, throttledTime)
        }
    }

    fileprivate mutating func decode(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            let numbers = try NumberFields(try field.slice(), listed: 4)
            if field.number == 1 {
                (total, kernel, user, perProcessor) = (numbers[1], numbers[2], numbers[3], numbers.list)
            } else if field.number == 2 {
                (periods, throttledPeriods, throttledTime) = (numbers[1], numbers[2], numbers[3])
            }
        }
    }
}

extension CgroupStatistics.Memory {
    fileprivate mutating func decodeV1(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        counters = try NumberFields(bytes).counters(memoryFields)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 33: usage = try CgroupStatistics.Level(decoding: try field.slice())
            case 34: swap = try CgroupStatistics.Level(decoding: try field.slice())
            case 35: kernel = try CgroupStatistics.Level(decoding: try field.slice())
            case 36: kernelTCP = try CgroupStatistics.Level(decoding: try field.slice())
            default: break
            }
        }
    }
}

extension CgroupStatistics.Level {
    fileprivate func encode(into writer: inout ProtobufWriter) {
        writer.uint64(1, limit)
        writer.uint64(2, usage)
        writer.uint64(3, peak)
        writer.uint64(4, failures)
    }

    fileprivate init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        self.init()
        let numbers = try NumberFields(bytes)
        (limit, usage, peak, failures) = (numbers[1], numbers[2], numbers[3], numbers[4])
    }
}

extension CgroupStatistics.Hugepages {
    fileprivate init(decodingV1 bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        self.init(pageSize: "")
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: level.usage = try field.uint64()
            case 2: level.peak = try field.uint64()
            case 3: level.failures = try field.uint64()
            case 4: pageSize = try field.string()
            default: break
            }
        }
    }
}

extension CgroupStatistics.BlockIO {
    /// In the order of the message's fields.
    fileprivate var lists: [[Entry]] {
        [serviceBytes, serviced, queued, serviceTime, waitTime, merged, time, sectors]
    }

    fileprivate mutating func decode(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            let entry = try Entry(decoding: try field.slice())
            switch field.number {
            case 1: serviceBytes.append(entry)
            case 2: serviced.append(entry)
            case 3: queued.append(entry)
            case 4: serviceTime.append(entry)
            case 5: waitTime.append(entry)
            case 6: merged.append(entry)
            case 7: time.append(entry)
            case 8: sectors.append(entry)
            default: break
            }
        }
    }
}

extension CgroupStatistics.BlockIO.Entry {
    fileprivate func encode(into writer: inout ProtobufWriter) {
        writer.string(1, operation)
        writer.uint64(3, major)
        writer.uint64(4, minor)
        writer.uint64(5, value)
    }

    fileprivate init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        self.init(major: 0, minor: 0, operation: "", value: 0)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: operation = try field.string()
            case 3: major = try field.uint64()
            case 4: minor = try field.uint64()
            case 5: value = try field.uint64()
            default: break
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Flags
import JSON
import LinuxSystem
import OCISpec

var updateCommand: Command {
    Command(
        name: "update", help: "change the limits of a container", usage: "CONTAINER-ID", flags: updateFlags,
        arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        if container.status == .stopped { throw RuntimeError("container not running") }
        let changes = try requestedChanges(invocation.values)
        try updateResctrl(container, invocation.values)
        if let unit = container.record.unit {
            let limits = changes.completed(by: container.record.limits).limits
            try unit.set(unitProperties(container.cgroup.settings(limits)))
        }
        try step("") { () throws(SysError) in try container.cgroup.update(changes, from: container.record.limits) }
        var record = container.record
        record.limits = record.limits.updated(by: changes.completed(by: record.limits).limits)
        try container.store.save(record)
        return 0
    }
}

private var updateFlags: [Flag] {
    [
        .string("resources", short: "r", "file with a resources object, - for the standard input; then nothing else"),
        .string("blkio-weight", "weight of block I/O, 10 to 1000"),
        .string("cpu-period", "microseconds of a period"),
        .string("cpu-quota", "microseconds of CPU time in each period"),
        .string("cpu-burst", "microseconds of CPU time that can be saved up"),
        .string("cpu-share", "weight of CPU time"),
        .string("cpu-rt-period", "microseconds of a period of realtime threads"),
        .string("cpu-rt-runtime", "microseconds of CPU time of realtime threads in each period"),
        .string("cpuset-cpus", "processors to use"),
        .string("cpuset-mems", "memory nodes to use"),
        .string("memory", "limit of memory in bytes, -1 for none"),
        .string("memory-reservation", "memory in bytes to protect"),
        .string("memory-swap", "limit of memory and swap together in bytes, -1 for none"),
        .int("pids-limit", "most processes and threads, -1 for no limit"),
        .string("cpu-idle", "1 to run only when nobody else does"),
        .string("l3-cache-schema", "shares of the caches: L3:ID=MASK;.."),
        .string("mem-bw-schema", "shares of the memory bandwidth: MB:ID=PERCENT;.."),
        .string("kernel-memory", "ignored").hiding(),
        .string("kernel-memory-tcp", "ignored").hiding(),
    ]
}

private func requestedChanges(_ values: FlagValues) throws(RuntimeError) -> RuntimeResources {
    if let path = values.optional("resources") { return try readResources(path) }
    var changes = RuntimeResources()
    changes.memory.limit = try byteCount(values, "memory")
    changes.memory.reservation = try byteCount(values, "memory-reservation")
    changes.memory.swap = try byteCount(values, "memory-swap")
    changes.cpu.shares = try integer(values, "cpu-share")
    changes.cpu.period = try integer(values, "cpu-period")
    changes.cpu.quota = try integer(values, "cpu-quota")
    changes.cpu.burst = try integer(values, "cpu-burst")
    changes.cpu.realtimePeriod = try integer(values, "cpu-rt-period")
    changes.cpu.realtimeRuntime = try integer(values, "cpu-rt-runtime")
    changes.cpu.idle = try integer(values, "cpu-idle")
    changes.cpu.cpus = values.string("cpuset-cpus")
    changes.cpu.mems = values.string("cpuset-mems")
    changes.pidsLimit = try integer(values, "pids-limit")
    changes.blockIO.weight = try integer(values, "blkio-weight")
    return changes
}

/// A container that has no group of resctrl gets one, with all of its processes.
private func updateResctrl(_ container: Container, _ values: FlagValues) throws(RuntimeError) {
    let (caches, bandwidth) = (values.string("l3-cache-schema"), values.string("mem-bw-schema"))
    if caches.isEmpty, bandwidth.isEmpty { return }
    let root = Resctrl.mounted()
    if !caches.isEmpty, !Resctrl.allotsCaches(root) {
        throw RuntimeError("Intel RDT/CAT: l3 cache schema is not enabled")
    }
    if !bandwidth.isEmpty, !Resctrl.allotsBandwidth(root) {
        throw RuntimeError("Intel RDT/MBA: memory bandwidth schema is not enabled")
    }
    let config = RuntimeLinux.IntelRdt(l3CacheSchema: caches, memBwSchema: bandwidth)
    let id = container.record.id
    if let group = try container.store.resctrlGroup(of: id) { return try group.write(config.lines) }
    let group = try ResctrlGroup(config, id: id, root: root)
    try container.store.note(group, of: id)
    try group.make()
    for pid in container.cgroup.processes() {
        for thread in (try? listDirectory(FilePath("/proc/\(pid)/task"))) ?? [] {
            if let number = Int32(thread) { try group.add(number) }
        }
    }
}

private func readResources(_ path: String) throws(RuntimeError) -> RuntimeResources {
    let bytes = try step("") { () throws(SysError) in
        if path != "-" { return try readFile(FilePath(path)) }
        let input = OwnedFD(owning: try sys("fcntl", "stdin") { swrun_fcntl(0, F_DUPFD_CLOEXEC, 3) })
        return try readAll(input, limit: 16 << 20, name: "stdin")
    }
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
        throw RuntimeError("resources: " + error.description)
    }
    return try valid { () throws(RuntimeSpecError) in try RuntimeResources(value) }
}

private func integer<Number: FixedWidthInteger>(
    _ values: FlagValues, _ flag: String
) throws(RuntimeError) -> Number? {
    guard let text = values.optional(flag), !text.isEmpty else { return nil }
    guard let number = Number(text) else {
        throw RuntimeError("invalid value for " + flag + ": \"" + text + "\" is no number in range")
    }
    return number
}

/// Bytes, or with a suffix: `512m`, `2GiB`; -1 for no limit.
private func byteCount(_ values: FlagValues, _ flag: String) throws(RuntimeError) -> Int64? {
    guard let text = values.optional(flag), !text.isEmpty else { return nil }
    if text == "-1" { return -1 }
    guard let bytes = byteCount(text) else {
        throw RuntimeError("invalid value for " + flag + ": invalid size: '" + text + "'")
    }
    return bytes
}

/// A number and the letter of a power of 1024, with or without `b` or `ib` behind it; nil for anything else.
func byteCount(_ text: String) -> Int64? {
    let digits = text.utf8.prefix { $0 >= 48 && $0 <= 57 }
    var suffix = text.utf8.dropFirst(digits.count).map { $0 | 0x20 }  // lower case
    if suffix.first == UInt8(ascii: " ") { suffix.removeFirst() }
    guard var bytes = Int64(String(decoding: digits, as: UTF8.self)) else { return nil }
    guard let letter = suffix.first, letter != UInt8(ascii: "b") || suffix.count > 1 else { return bytes }
    let rest = String(decoding: suffix.dropFirst(), as: UTF8.self)
    guard let power = Array("kmgtp".utf8).firstIndex(of: letter), ["", "b", "ib"].contains(rest) else { return nil }
    for _ in 0...power {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: 1024)
        if overflow { return nil }
        bytes = product
    }
    return bytes
}

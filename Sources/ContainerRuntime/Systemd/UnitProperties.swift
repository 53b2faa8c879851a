// SPDX-License-Identifier: Apache-2.0
import Cgroups
import Confinement
import OCISpec

/// Limits as systemd knows them (systemd.resource-control(5)): it writes its own values over those that it is not told of
/// whenever it reads its configuration again. What it has no property for is in the cgroup's files alone.
func unitProperties(_ settings: [CgroupSetting]) -> [BusValue] {
    var properties: [BusValue] = []
    var (quota, period): (Int64?, UInt64?) = (nil, nil)
    for setting in settings {
        switch setting.file {
        case "cpu.max":
            let words = setting.value.split(separator: " ")
            quota = words.first.map { Int64($0) ?? -1 }
            period = words.count > 1 ? UInt64(words[1]) : nil
        case "cpu.cfs_quota_us": quota = Int64(setting.value)
        case "cpu.cfs_period_us": period = UInt64(setting.value)
        case "cpuset.cpus", "cpuset.mems":
            let name = setting.file == "cpuset.cpus" ? "AllowedCPUs" : "AllowedMemoryNodes"
            if let mask = bitMask(setting.value, below: 8192) { properties.append(.property(name, .bytes(mask))) }
        default:
            if let property = plainProperty(setting) { properties.append(property) }
        }
    }
    return properties + processorTime(quota, period)
}

/// Of a file with one number.
private func plainProperty(_ setting: CgroupSetting) -> BusValue? {
    let names = [
        "memory.max": "MemoryMax", "memory.low": "MemoryLow", "memory.min": "MemoryMin", "memory.high": "MemoryHigh",
        "memory.swap.max": "MemorySwapMax", "cpu.weight": "CPUWeight", "pids.max": "TasksMax",
        "memory.limit_in_bytes": "MemoryLimit", "cpu.shares": "CPUShares", "blkio.weight": "BlockIOWeight",
    ]
    guard let name = names[setting.file] else { return nil }
    if setting.value == "max" || setting.value == "-1" { return .property(name, .uint64(.max)) }
    return UInt64(setting.value).map { .property(name, .uint64($0)) }
}

/// systemd counts in whole percents of a processor: a part of one is rounded up, so that what is in the cgroup fits in.
private func processorTime(_ quota: Int64?, _ period: UInt64?) -> [BusValue] {
    var properties: [BusValue] = []
    if let period, period > 0 { properties.append(.property("CPUQuotaPeriodUSec", .uint64(period))) }
    guard let quota, quota > 0 else {
        return quota == nil && period == nil ? [] : properties + [.property("CPUQuotaPerSecUSec", .uint64(.max))]
    }
    let (product, overflow) = UInt64(quota).multipliedReportingOverflow(by: 1_000_000)
    let perSecond = overflow ? UInt64.max : product / max(1, period ?? 100_000)
    let rounded = overflow ? .max : (perSecond / 10_000 + (perSecond % 10_000 == 0 ? 0 : 1)) * 10_000
    return properties + [.property("CPUQuotaPerSecUSec", .uint64(rounded))]
}

private let annotationPrefix = "org.systemd.property."

/// Properties that the config asks for in annotations `org.systemd.property.NAME`, with values in the notation of GVariant's
/// text format: `'text'`, `true`, `uint64 5`, `['a', 'b']`. A time in seconds, `NAMESec`, is given as `NAMEUSec`.
func unitProperties(annotations: [RuntimePair]) throws(RuntimeError) -> [BusValue] {
    var properties: [BusValue] = []
    for pair in annotations where pair.key.hasPrefix(annotationPrefix) {
        var name = String(pair.key.dropFirst(annotationPrefix.utf8.count))
        guard name.utf8.count >= 3, name.utf8.allSatisfy({ $0 | 0x20 >= 97 && $0 | 0x20 <= 122 }),
            var value = variant(pair.value)
        else { throw RuntimeError("annotation " + pair.key + "=" + pair.value + " is not a systemd property") }
        if name.hasSuffix("Sec"), !name.hasSuffix("USec"), let microseconds = microseconds(value) {
            name = String(name.dropLast(3)) + "USec"
            value = .uint64(microseconds)
        }
        properties.append(.property(name, value))
    }
    return properties
}

private func microseconds(_ value: BusValue) -> UInt64? {
    switch value {
    case .uint64(let number): number.multipliedReportingOverflow(by: 1_000_000).partialValue
    case .int64(let number): UInt64(clamping: number).multipliedReportingOverflow(by: 1_000_000).partialValue
    case .uint32(let number): UInt64(number) * 1_000_000
    case .int32(let number): UInt64(clamping: number) * 1_000_000
    default: nil
    }
}

/// Nil for what is not understood.
func variant(_ text: String) -> BusValue? {
    if text == "true" || text == "false" { return .boolean(text == "true") }
    if let inner = between(text, "'", "'") ?? between(text, "\"", "\"") { return .string(inner) }
    if let inner = between(text, "[", "]") {
        var elements: [String] = []
        for part in inner.split(separator: ",") {
            guard case .string(let element)? = variant(String(part).trimmingSpaces) else { return nil }
            elements.append(element)
        }
        return .strings(elements)
    }
    let words = text.split(separator: " ")
    switch (words.count == 2 ? words[0] : "", words.last ?? "") {
    case ("uint64", let number): return UInt64(number).map { .uint64($0) }
    case ("int64", let number): return Int64(number).map { .int64($0) }
    case ("uint32", let number): return UInt32(number).map { .uint32($0) }
    case ("int32", let number): return Int32(number).map { .int32($0) }
    case ("", let number) where words.count == 1: return Int32(number).map { .int32($0) }
    default: return nil
    }
}

private func between(_ text: String, _ first: String, _ last: String) -> String? {
    guard text.utf8.count >= 2, text.hasPrefix(first), text.hasSuffix(last) else { return nil }
    return String(text.dropFirst().dropLast())
}

extension String {
    fileprivate var trimmingSpaces: String {
        let kept = utf8.drop { $0 == 32 }
        let end = kept.lastIndex { $0 != 32 }
        return end.map { String(decoding: kept[...$0], as: UTF8.self) } ?? ""
    }
}

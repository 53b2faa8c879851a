// SPDX-License-Identifier: Apache-2.0
package import JSON

// Limits that can be changed while a container runs: memory, CPU, pids and block I/O.
extension RuntimeResources {
    /// Only what can be changed later.
    package var limits: RuntimeResources {
        var limits = RuntimeResources()
        limits.memory = memory
        limits.cpu = cpu
        limits.pidsLimit = pidsLimit
        limits.blockIO = blockIO
        limits.unified = unified
        return limits
    }

    /// The limits after a change; what it has not, or has as zero or empty, stays as it is.
    package func updated(by changes: RuntimeResources) -> RuntimeResources {
        var result = self
        replace(&result.memory.limit, changes.memory.limit)
        replace(&result.memory.reservation, changes.memory.reservation)
        replace(&result.memory.swap, changes.memory.swap)
        result.memory.swappiness = changes.memory.swappiness ?? memory.swappiness
        result.memory.disableOOMKiller = changes.memory.disableOOMKiller ?? memory.disableOOMKiller
        replace(&result.cpu.shares, changes.cpu.shares)
        replace(&result.cpu.quota, changes.cpu.quota)
        replace(&result.cpu.period, changes.cpu.period)
        replace(&result.cpu.realtimeRuntime, changes.cpu.realtimeRuntime)
        replace(&result.cpu.realtimePeriod, changes.cpu.realtimePeriod)
        result.cpu.burst = changes.cpu.burst ?? cpu.burst
        result.cpu.idle = changes.cpu.idle ?? cpu.idle
        if !changes.cpu.cpus.isEmpty { result.cpu.cpus = changes.cpu.cpus }
        if !changes.cpu.mems.isEmpty { result.cpu.mems = changes.cpu.mems }
        replace(&result.pidsLimit, changes.pidsLimit)
        replace(&result.blockIO.weight, changes.blockIO.weight)
        replace(&result.blockIO.deviceWeights, changes.blockIO.deviceWeights)
        replace(&result.blockIO.readBytes, changes.blockIO.readBytes)
        replace(&result.blockIO.writeBytes, changes.blockIO.writeBytes)
        replace(&result.blockIO.readOperations, changes.blockIO.readOperations)
        replace(&result.blockIO.writeOperations, changes.blockIO.writeOperations)
        return result
    }

    /// This change with what the kernel takes together with it: memory with swap, which must never be less than the
    /// memory, and a CPU quota with its period.
    ///
    /// - Parameter stored: the limits until now.
    package func completed(by stored: RuntimeResources) -> RuntimeResources {
        var result = self
        if memory.limit == -1, memory.swap ?? 0 == 0 { result.memory.swap = -1 }
        if memory.limit ?? 0 != 0 || memory.swap ?? 0 != 0 {
            if result.memory.limit ?? 0 == 0 { result.memory.limit = stored.memory.limit }
            if result.memory.swap ?? 0 == 0 { result.memory.swap = stored.memory.swap }
        }
        if cpu.quota ?? 0 != 0 || cpu.period ?? 0 != 0 {
            if cpu.quota ?? 0 == 0 { result.cpu.quota = stored.cpu.quota }
            if cpu.period ?? 0 == 0 { result.cpu.period = stored.cpu.period }
        }
        return result
    }

    /// The changeable limits as a resources object; `init(_:)` reads it back.
    package var limitsJSON: JSONValue {
        var value: JSONValue = [:]
        func put(_ key: String, _ object: JSONValue) {
            if object.members?.isEmpty == false { value.set(key, object) }
        }
        put("memory", memoryJSON)
        put("cpu", cpuJSON)
        if let pidsLimit { value.set("pids", ["limit": .int(pidsLimit)]) }
        put("blockIO", blockIO.json)
        return value
    }

    private var memoryJSON: JSONValue {
        var value: JSONValue = [:]
        if let limit = memory.limit { value.set("limit", .int(limit)) }
        if let low = memory.reservation { value.set("reservation", .int(low)) }
        if let swap = memory.swap { value.set("swap", .int(swap)) }
        if let swappiness = memory.swappiness { value.set("swappiness", .int(Int64(clamping: swappiness))) }
        if let disabled = memory.disableOOMKiller { value.set("disableOOMKiller", .bool(disabled)) }
        return value
    }

    private var cpuJSON: JSONValue {
        var value: JSONValue = [:]
        if let shares = cpu.shares { value.set("shares", .int(Int64(clamping: shares))) }
        if let quota = cpu.quota { value.set("quota", .int(quota)) }
        if let burst = cpu.burst { value.set("burst", .int(Int64(clamping: burst))) }
        if let period = cpu.period { value.set("period", .int(Int64(clamping: period))) }
        if let run = cpu.realtimeRuntime { value.set("realtimeRuntime", .int(run)) }
        if let period = cpu.realtimePeriod { value.set("realtimePeriod", .int(Int64(clamping: period))) }
        if !cpu.cpus.isEmpty { value.set("cpus", .string(cpu.cpus)) }
        if !cpu.mems.isEmpty { value.set("mems", .string(cpu.mems)) }
        if let idle = cpu.idle { value.set("idle", .int(idle)) }
        return value
    }
}

extension RuntimeResources.BlockIO {
    fileprivate var json: JSONValue {
        var value: JSONValue = [:]
        if let weight { value.set("weight", .int(Int64(weight))) }
        let weights = deviceWeights.map { item -> JSONValue in
            ["major": .int(item.major), "minor": .int(item.minor), "weight": .int(Int64(item.weight))]
        }
        if !weights.isEmpty { value.set("weightDevice", .array(weights)) }
        func put(_ key: String, _ list: [Throttle]) {
            let items = list.map { item -> JSONValue in
                ["major": .int(item.major), "minor": .int(item.minor), "rate": .int(Int64(clamping: item.rate))]
            }
            if !items.isEmpty { value.set(key, .array(items)) }
        }
        put("throttleReadBpsDevice", readBytes)
        put("throttleWriteBpsDevice", writeBytes)
        put("throttleReadIOPSDevice", readOperations)
        put("throttleWriteIOPSDevice", writeOperations)
        return value
    }
}

private func replace<Number: FixedWidthInteger>(_ old: inout Number?, _ new: Number?) {
    if let new, new != 0 { old = new }
}

private func replace<Element>(_ old: inout [Element], _ new: [Element]) {
    if !new.isEmpty { old = new }
}

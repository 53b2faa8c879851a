// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON

extension SpecBuilder {
    func resources() throws(SpecError) -> JSONValue {
        if input.hostConfig.number("CpuShares") < 0 { throw SpecError("shares: invalid argument", .other) }
        var resources = Self.limits(input.hostConfig)
        if !input.throttles.isEmpty {
            var io = resources["blockIO"] ?? .object([])
            for (key, entries) in input.throttles { io.set(key, .array(entries)) }
            resources.set("blockIO", io)
        }
        resources.set("devices", .array(try deviceRules()))
        return resources
    }

    /// The limits alone, as `update` also sends them to a running container.
    package static func limits(_ hostConfig: HostConfig) -> JSONValue {
        var resources: JSONValue = .object([])
        for (name, value) in [
            ("memory", memory(hostConfig)), ("cpu", cpu(hostConfig)), ("pids", pids(hostConfig)),
            ("blockIO", blockIO(hostConfig)),
        ] where value.members?.isEmpty == false {
            resources.set(name, value)
        }
        return resources
    }

    private static func memory(_ hostConfig: HostConfig) -> JSONValue {
        var memory: JSONValue = .object([])
        for (key, field) in [("limit", "Memory"), ("reservation", "MemoryReservation"), ("swap", "MemorySwap")] {
            let value = hostConfig.number(field)
            if value != 0 { memory.set(key, .int(value)) }
        }
        if let swappiness = hostConfig["MemorySwappiness"].int, swappiness >= 0 {
            memory.set("swappiness", .int(swappiness))
        }
        if hostConfig["OomKillDisable"].bool == true { memory.set("disableOOMKiller", true) }
        return memory
    }

    private static func cpu(_ hostConfig: HostConfig) -> JSONValue {
        var cpu: JSONValue = .object([])
        let numbers = [
            ("shares", "CpuShares"), ("quota", "CpuQuota"), ("period", "CpuPeriod"),
            ("realtimePeriod", "CpuRealtimePeriod"), ("realtimeRuntime", "CpuRealtimeRuntime"),
        ]
        for (key, field) in numbers where hostConfig.number(field) != 0 {
            cpu.set(key, .int(hostConfig.number(field)))
        }
        let nano = hostConfig.number("NanoCpus")
        if nano > 0 {
            let period: Int64 = 100_000  // microseconds: the kernel's own default
            cpu.set("quota", .int(nano / 1000 * period / 1_000_000))
            cpu.set("period", .int(period))
        }
        for (key, field) in [("cpus", "CpusetCpus"), ("mems", "CpusetMems")] where !hostConfig.text(field).isEmpty {
            cpu.set(key, .string(hostConfig.text(field)))
        }
        return cpu
    }

    private static func pids(_ hostConfig: HostConfig) -> JSONValue {
        guard let limit = hostConfig["PidsLimit"].int, limit != 0 else { return .object([]) }
        return ["limit": .int(limit < 0 ? -1 : limit)]
    }

    private static func blockIO(_ hostConfig: HostConfig) -> JSONValue {
        let weight = hostConfig.number("BlkioWeight")
        return weight == 0 ? .object([]) : ["weight": .int(weight)]
    }

    // MARK: Devices

    private func deviceRules() throws(SpecError) -> [JSONValue] {
        if input.hostConfig.privileged { return [["allow": true, "type": "a", "access": "rwm"]] }
        var rules: [JSONValue] = [["allow": false, "access": "rwm"]]
        rules += Self.standardDevices
        rules += input.devices.map { $0.specRule }
        for text in input.hostConfig.list("DeviceCgroupRules") { rules.append(try Self.parseRule(text)) }
        return rules
    }

    /// mknod of anything, use of null, zero, full, random, urandom, tty, console, ptmx, ptys and tun.
    private static let standardDevices: [JSONValue] = {
        let nodes: [(Int64, Int64?)] = [
            (1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (136, nil), (10, 200),
        ]
        let make: [JSONValue] = ["c", "b"].map { ["allow": true, "type": .string($0), "access": "m"] }
        return make
            + nodes.map { node in
                var rule: JSONValue = ["allow": true, "type": "c", "major": .int(node.0)]
                if let minor = node.1 { rule.set("minor", .int(minor)) }
                rule.set("access", "rwm")
                return rule
            }
    }()

    /// `c 1:3 rwm`, `b 7:* r`.
    static func parseRule(_ text: String) throws(SpecError) -> JSONValue {
        let failure = SpecError("invalid device cgroup rule format: '\(text)'")
        let parts = text.split(separator: " ").map { String($0) }
        guard parts.count == 3, ["a", "b", "c"].contains(parts[0]), !parts[2].isEmpty,
            parts[2].allSatisfy({ "rwm".contains($0) })
        else { throw failure }
        let numbers = parts[1].split(separator: ":").map { String($0) }
        guard numbers.count == 2 else { throw failure }
        var rule: JSONValue = ["allow": true, "type": .string(parts[0])]
        for (key, number) in [("major", numbers[0]), ("minor", numbers[1])] where number != "*" {
            guard let value = Int64(number), value >= 0 else { throw failure }
            rule.set(key, .int(value))
        }
        rule.set("access", .string(parts[2]))
        return rule
    }
}

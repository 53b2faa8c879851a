// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The half of a container's configuration that belongs to this host: limits, mounts, privileges, networking.
package struct HostConfig: Sendable, Equatable {
    /// In docker's order and with docker's zero values.
    package private(set) var json: JSONValue

    package init(json: JSONValue) throws(FieldError) {
        self.json = try Self.table.normalize(json)
    }

    private static let table = FieldTable(
        "HostConfig.HostConfig",
        [
            .init("Binds", .strings), .init("ContainerIDFile", .string), .init("LogConfig", .object),
            .init("NetworkMode", .string), .init("PortBindings", .object), .init("RestartPolicy", .object),
            .init("AutoRemove", .bool), .init("VolumeDriver", .string), .init("VolumesFrom", .strings),
            .init("ConsoleSize", .array, empty: [0, 0]), .init("Annotations", .stringMap, omitsEmpty: true),
            .init("CapAdd", .stringOrStrings), .init("CapDrop", .stringOrStrings), .init("CgroupnsMode", .string),
            .init("Dns", .strings), .init("DnsOptions", .strings), .init("DnsSearch", .strings),
            .init("ExtraHosts", .strings), .init("GroupAdd", .strings), .init("IpcMode", .string),
            .init("Cgroup", .string), .init("Links", .strings), .init("OomScoreAdj", .int),
            .init("PidMode", .string), .init("Privileged", .bool), .init("PublishAllPorts", .bool),
            .init("ReadonlyRootfs", .bool), .init("SecurityOpt", .strings),
            .init("StorageOpt", .stringMap, omitsEmpty: true), .init("Tmpfs", .stringMap, omitsEmpty: true),
            .init("UTSMode", .string), .init("UsernsMode", .string), .init("ShmSize", .int),
            .init("Sysctls", .stringMap, omitsEmpty: true), .init("Runtime", .string), .init("Isolation", .string),
            .init("CpuShares", .int), .init("Memory", .int), .init("NanoCpus", .int), .init("CgroupParent", .string),
            .init("BlkioWeight", .int), .init("BlkioWeightDevice", .array), .init("BlkioDeviceReadBps", .array),
            .init("BlkioDeviceWriteBps", .array), .init("BlkioDeviceReadIOps", .array),
            .init("BlkioDeviceWriteIOps", .array), .init("CpuPeriod", .int), .init("CpuQuota", .int),
            .init("CpuRealtimePeriod", .int), .init("CpuRealtimeRuntime", .int), .init("CpusetCpus", .string),
            .init("CpusetMems", .string), .init("Devices", .array), .init("DeviceCgroupRules", .strings),
            .init("DeviceRequests", .array), .init("KernelMemoryTCP", .int, omitsEmpty: true),
            .init("MemoryReservation", .int), .init("MemorySwap", .int), .init("MemorySwappiness", .int, empty: .null),
            .init("OomKillDisable", .bool, empty: .null), .init("PidsLimit", .int, empty: .null),
            .init("Ulimits", .array), .init("CpuCount", .int), .init("CpuPercent", .int),
            .init("IOMaximumIOps", .int), .init("IOMaximumBandwidth", .int), .init("Mounts", .array, omitsEmpty: true),
            .init("MaskedPaths", .strings), .init("ReadonlyPaths", .strings),
            .init("Init", .bool, empty: .null, omitsEmpty: false),
        ])

    package subscript(_ name: String) -> JSONValue { json[name] ?? .null }

    package func text(_ name: String) -> String { json[name]?.string ?? "" }
    package func number(_ name: String) -> Int64 { json[name]?.int ?? 0 }
    package func flag(_ name: String) -> Bool { json[name]?.bool ?? false }
    package func list(_ name: String) -> [String] { json[name]?.strings ?? [] }
    package func objects(_ name: String) -> [JSONValue] { json[name]?.array ?? [] }
    package func map(_ name: String) -> [(key: String, value: String)] { json[name]?.stringPairs ?? [] }

    /// Replaces one member; the order is docker's again afterwards.
    package mutating func set(_ name: String, _ value: JSONValue) {
        json.set(name, value)
        if let normal = try? Self.table.normalize(json) { json = normal }
    }

    /// What inspect prints: `Init` is left out while it is nil.
    package var inspectJSON: JSONValue {
        .object((json.members ?? []).filter { !($0.key == "Init" && $0.value.isNull) })
    }
}

// MARK: Members with a meaning of their own

extension HostConfig {
    package var networkMode: String {
        get { text("NetworkMode") }
        set { set("NetworkMode", .string(newValue)) }
    }
    package var autoRemove: Bool { flag("AutoRemove") }
    package var privileged: Bool { flag("Privileged") }
    package var useInit: Bool { flag("Init") }

    package var restartPolicy: RestartPolicy {
        let name = self["RestartPolicy"]["Name"]?.string ?? ""
        return RestartPolicy(name: name, maximumRetryCount: Int(self["RestartPolicy"]["MaximumRetryCount"]?.int ?? 0))
    }

    package var logDriver: String { self["LogConfig"]["Type"]?.string ?? "" }
    package var logOptions: [(key: String, value: String)] { self["LogConfig"]["Config"]?.stringPairs ?? [] }
}

/// When a container is started again after its process has ended.
package struct RestartPolicy: Sendable, Equatable {
    package var name: String
    package var maximumRetryCount: Int

    package init(name: String, maximumRetryCount: Int) {
        self.name = name
        self.maximumRetryCount = maximumRetryCount
    }

    package var json: JSONValue {
        ["Name": .string(name), "MaximumRetryCount": .int(Int64(maximumRetryCount))]
    }

    /// Whether a container that ended by itself is started again.
    ///
    /// - Parameter restarts: how often it was started again already.
    package func restarts(after exitCode: Int32, restarts: Int, stoppedByUser: Bool) -> Bool {
        if stoppedByUser { return false }
        switch name {
        case "always", "unless-stopped": return true
        case "on-failure": return exitCode != 0 && (maximumRetryCount == 0 || restarts < maximumRetryCount)
        default: return false
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package import JSON

/// `linux.resources`: what the container's cgroups are set to. Nil leaves the kernel's default.
package struct RuntimeResources: Sendable, Equatable {
    package var devices: [DeviceRule] = []
    package var memory = Memory()
    package var cpu = CPU()
    package var pidsLimit: Int64?
    package var blockIO = BlockIO()
    package var hugepages: [Hugepages] = []
    /// cgroup v2 files, written as they are.
    package var unified: [RuntimePair] = []
    package var network = Network()
    package var rdma: [RDMA] = []

    package init() {}

    /// Reads a resources object as `update` gets it.
    package init(_ value: JSONValue) throws(RuntimeSpecError) {
        try self.init(try RuntimeFields(value, path: "resources"))
    }

    init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
        for rule in try fields.objects("devices") { devices.append(try DeviceRule(rule)) }
        if let found = try fields.object("memory") { memory = try Memory(found) }
        if let found = try fields.object("cpu") { cpu = try CPU(found) }
        if let pids = try fields.object("pids") { pidsLimit = try pids.integer("limit") }
        if let found = try fields.object("blockIO") { blockIO = try BlockIO(found) }
        for limit in try fields.objects("hugepageLimits") { hugepages.append(try Hugepages(limit)) }
        unified = try fields.pairs("unified")
        if let found = try fields.object("network") { network = try Network(found) }
        if let devices = try fields.object("rdma") {
            for name in devices.keys {
                if let limits = try devices.object(name) { rdma.append(try RDMA(name, limits)) }
            }
        }
    }
}

extension RuntimeResources {
    /// One rule of the device list; a missing number means any.
    package struct DeviceRule: Sendable, Equatable {
        package var isAllowed: Bool
        /// `a` (all), `b` or `c`.
        package var type: String
        package var major: Int64?
        package var minor: Int64?
        package var access: String

        package init(
            isAllowed: Bool, type: String = "a", major: Int64? = nil, minor: Int64? = nil, access: String = "rwm"
        ) {
            self.isAllowed = isAllowed
            self.type = type
            self.major = major
            self.minor = minor
            self.access = access
        }

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            isAllowed = try fields.bool("allow")
            let name = try fields.string("type") ?? ""
            type = name.isEmpty ? "a" : name == "u" ? "c" : name
            major = try fields.integer("major")
            minor = try fields.integer("minor")
            if let number = major, number < 0 { major = nil }
            if let number = minor, number < 0 { minor = nil }
            let letters = try fields.string("access") ?? ""
            access = letters.isEmpty ? "rwm" : letters.filter { "rwm".contains($0) }
            guard ["a", "b", "c"].contains(type) else {
                throw RuntimeSpecError("device rule: unknown type \"" + type + "\"")
            }
            // Other letters among these mean nothing, as with runc.
            if access.isEmpty { throw RuntimeSpecError("device rule: unknown access \"" + letters + "\"") }
        }
    }

    package struct Memory: Sendable, Equatable {
        package var limit: Int64?
        package var reservation: Int64?
        /// Memory and swap together.
        package var swap: Int64?
        package var swappiness: UInt64?
        package var disableOOMKiller: Bool?
        /// An update is refused if more than the new limit is in use.
        package var checksBeforeUpdate = false

        package init() {}

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            limit = try fields.integer("limit")
            reservation = try fields.integer("reservation")
            swap = try fields.integer("swap")
            swappiness = try fields.integer("swappiness")
            disableOOMKiller = try fields.optionalBool("disableOOMKiller")
            checksBeforeUpdate = try fields.bool("checkBeforeUpdate")
        }
    }

    package struct CPU: Sendable, Equatable {
        package var shares: UInt64?
        package var quota: Int64?
        package var burst: UInt64?
        package var period: UInt64?
        package var realtimeRuntime: Int64?
        package var realtimePeriod: UInt64?
        package var cpus = ""
        package var mems = ""
        package var idle: Int64?

        package init() {}

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            shares = try fields.integer("shares")
            quota = try fields.integer("quota")
            burst = try fields.integer("burst")
            period = try fields.integer("period")
            realtimeRuntime = try fields.integer("realtimeRuntime")
            realtimePeriod = try fields.integer("realtimePeriod")
            cpus = try fields.string("cpus") ?? ""
            mems = try fields.string("mems") ?? ""
            idle = try fields.integer("idle")
        }
    }

    package struct BlockIO: Sendable, Equatable {
        package struct Throttle: Sendable, Equatable {
            package var major: Int64
            package var minor: Int64
            package var rate: UInt64

            init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
                major = try fields.integer("major") ?? 0
                minor = try fields.integer("minor") ?? 0
                rate = try fields.integer("rate") ?? 0
            }
        }

        /// How much one device's time counts.
        package struct DeviceWeight: Sendable, Equatable {
            package var major: Int64
            package var minor: Int64
            package var weight: UInt16

            init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
                major = try fields.integer("major") ?? 0
                minor = try fields.integer("minor") ?? 0
                weight = try fields.integer("weight") ?? 0
            }
        }

        package var weight: UInt16?
        package var deviceWeights: [DeviceWeight] = []
        package var readBytes: [Throttle] = []
        package var writeBytes: [Throttle] = []
        package var readOperations: [Throttle] = []
        package var writeOperations: [Throttle] = []

        package init() {}

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            weight = try fields.integer("weight")
            for item in try fields.objects("weightDevice") { deviceWeights.append(try DeviceWeight(item)) }
            readBytes = try BlockIO.list(fields, "throttleReadBpsDevice")
            writeBytes = try BlockIO.list(fields, "throttleWriteBpsDevice")
            readOperations = try BlockIO.list(fields, "throttleReadIOPSDevice")
            writeOperations = try BlockIO.list(fields, "throttleWriteIOPSDevice")
        }

        private static func list(_ fields: RuntimeFields, _ key: String) throws(RuntimeSpecError) -> [Throttle] {
            var list: [Throttle] = []
            for item in try fields.objects(key) { list.append(try Throttle(item)) }
            return list
        }
    }

    /// How packets that leave through the host are marked (net_cls) and ordered (net_prio); version 1 of cgroups only.
    package struct Network: Sendable, Equatable {
        package struct Priority: Sendable, Equatable {
            package var interface: String
            package var priority: UInt32

            init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
                interface = try fields.required("name")
                priority = try fields.integer("priority") ?? 0
            }
        }

        package var classID: UInt32?
        package var priorities: [Priority] = []

        package init() {}

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            classID = try fields.integer("classID")
            for item in try fields.objects("priorities") { priorities.append(try Priority(item)) }
        }
    }

    /// What may be used of an RDMA device; nil leaves the kernel's default.
    package struct RDMA: Sendable, Equatable {
        package var device: String
        package var handles: UInt32?
        package var objects: UInt32?

        init(_ device: String, _ fields: RuntimeFields) throws(RuntimeSpecError) {
            self.device = device
            handles = try fields.integer("hcaHandles")
            objects = try fields.integer("hcaObjects")
        }
    }

    package struct Hugepages: Sendable, Equatable {
        /// `2MB`, `1GB`: as in the names of the hugetlb controller's files.
        package var pageSize: String
        package var limit: UInt64

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            pageSize = try fields.required("pageSize")
            limit = try fields.integer("limit") ?? 0
            for byte in pageSize.utf8 where !(byte >= 48 && byte <= 57 || byte >= 65 && byte <= 90) {
                throw RuntimeSpecError("hugepageLimits: bad page size \"" + pageSize + "\"")
            }
        }
    }
}

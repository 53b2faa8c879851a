// SPDX-License-Identifier: Apache-2.0

// Smaller members of `linux`: clocks, memory nodes, interfaces, cache allocation (config-linux.md).
extension RuntimeLinux {
    /// What a clock of the container's time namespace shows more than the host's.
    package struct TimeOffset: Sendable, Equatable {
        /// `monotonic` or `boottime`.
        package var clock: String
        package var seconds: Int64
        package var nanoseconds: UInt32

        static func all(_ fields: RuntimeFields) throws(RuntimeSpecError) -> [TimeOffset] {
            var offsets: [TimeOffset] = []
            for clock in fields.keys {
                guard let found = try fields.object(clock) else { continue }
                offsets.append(
                    TimeOffset(
                        clock: clock, seconds: try found.integer("secs") ?? 0,
                        nanoseconds: try found.integer("nanosecs") ?? 0))
            }
            return offsets
        }
    }

    /// The arguments of set_mempolicy(2).
    package struct MemoryPolicy: Sendable, Equatable {
        /// By its name, `MPOL_BIND`; empty changes nothing.
        package var mode: String
        /// A list such as `0-3,7`.
        package var nodes: String
        package var flags: [String]
        /// The object has no member at all.
        package var isEmpty: Bool

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            mode = try fields.string("mode") ?? ""
            nodes = try fields.string("nodes") ?? ""
            flags = try fields.strings("flags")
            isEmpty = fields.keys.isEmpty
        }
    }

    /// An interface of the host that moves into the container.
    package struct NetworkDevice: Sendable, Equatable {
        package var hostName: String
        /// Its name in the container.
        package var name: String

        static func all(_ fields: RuntimeFields) throws(RuntimeSpecError) -> [NetworkDevice] {
            var devices: [NetworkDevice] = []
            for hostName in fields.keys {
                let given = try fields.object(hostName)?.string("name") ?? ""
                devices.append(NetworkDevice(hostName: hostName, name: given.isEmpty ? hostName : given))
            }
            return devices
        }
    }

    /// Shares of caches and memory bandwidth (resctrl).
    package struct IntelRdt: Sendable, Equatable {
        package var closID: String
        package var l3CacheSchema: String
        package var memBwSchema: String
        package var schemata: [String]
        package var enablesMonitoring: Bool

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            closID = try fields.string("closID") ?? ""
            l3CacheSchema = try fields.string("l3CacheSchema") ?? ""
            memBwSchema = try fields.string("memBwSchema") ?? ""
            schemata = try fields.strings("schemata")
            enablesMonitoring = try fields.bool("enableMonitoring")
        }

        package init(
            closID: String = "", l3CacheSchema: String = "", memBwSchema: String = "", schemata: [String] = []
        ) {
            self.closID = closID
            self.l3CacheSchema = l3CacheSchema
            self.memBwSchema = memBwSchema
            self.schemata = schemata
            enablesMonitoring = false
        }

        /// All of them, line by line: later ones count, and the bandwidth's own is instead of any in the caches'.
        package var lines: [String] {
            let caches = l3CacheSchema.split(separator: "\n").map { String($0) }
            return caches.filter { memBwSchema.isEmpty || !$0.hasPrefix("MB:") }
                + memBwSchema.split(separator: "\n").map { String($0) } + schemata
        }
    }
}

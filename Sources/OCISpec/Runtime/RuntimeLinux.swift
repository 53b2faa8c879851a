// SPDX-License-Identifier: Apache-2.0
package import JSON

/// `linux`: namespaces, cgroups and confinement (config-linux.md).
package struct RuntimeLinux: Sendable, Equatable {
    package var namespaces: [Namespace] = []
    package var uidMappings: [IDMapping] = []
    package var gidMappings: [IDMapping] = []
    package var devices: [Device] = []
    package var cgroupsPath = ""
    package var resources = RuntimeResources()
    package var rootfsPropagation = ""
    package var seccomp: RuntimeSeccomp?
    package var sysctl: [RuntimePair] = []
    package var maskedPaths: [String] = []
    package var readonlyPaths: [String] = []
    package var mountLabel = ""
    package var personality: String?
    package var timeOffsets: [TimeOffset] = []
    package var memoryPolicy: MemoryPolicy?
    package var networkDevices: [NetworkDevice] = []
    package var intelRdt: IntelRdt?

    package init() {}

    init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
        for namespace in try fields.objects("namespaces") { namespaces.append(try Namespace(namespace)) }
        for mapping in try fields.objects("uidMappings") { uidMappings.append(try IDMapping(mapping)) }
        for mapping in try fields.objects("gidMappings") { gidMappings.append(try IDMapping(mapping)) }
        for device in try fields.objects("devices") { devices.append(try Device(device)) }
        cgroupsPath = try fields.string("cgroupsPath") ?? ""
        if let found = try fields.object("resources") { resources = try RuntimeResources(found) }
        rootfsPropagation = try fields.string("rootfsPropagation") ?? ""
        seccomp = try fields.object("seccomp").map { (profile) throws(RuntimeSpecError) in
            try RuntimeSeccomp(profile)
        }
        sysctl = try fields.pairs("sysctl")
        maskedPaths = try fields.strings("maskedPaths")
        readonlyPaths = try fields.strings("readonlyPaths")
        mountLabel = try fields.string("mountLabel") ?? ""
        if let found = try fields.object("personality") { personality = try found.required("domain") }
        if let found = try fields.object("timeOffsets") { timeOffsets = try TimeOffset.all(found) }
        memoryPolicy = try fields.object("memoryPolicy").map { (found) throws(RuntimeSpecError) in
            try MemoryPolicy(found)
        }
        if let found = try fields.object("netDevices") { networkDevices = try NetworkDevice.all(found) }
        intelRdt = try fields.object("intelRdt").map { (found) throws(RuntimeSpecError) in try IntelRdt(found) }
    }
}

extension RuntimeLinux {
    /// `personality` and `memoryPolicy` alone, of an object that has them.
    package static func settings(
        _ value: JSONValue
    ) throws(RuntimeSpecError) -> (personality: String?, memoryPolicy: MemoryPolicy?) {
        let fields = try RuntimeFields(value)
        let policy = try fields.object("memoryPolicy").map { (found) throws(RuntimeSpecError) in
            try MemoryPolicy(found)
        }
        return (try fields.object("personality")?.required("domain"), policy)
    }

    package enum NamespaceType: String, Sendable, Equatable, CaseIterable {
        case user, cgroup, ipc, uts, network, pid, mount, time
    }

    package struct Namespace: Sendable, Equatable {
        package var type: NamespaceType
        /// An existing namespace to join; empty makes a new one.
        package var path: String

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            let name = try fields.required("type")
            guard let type = NamespaceType(rawValue: name) else {
                throw RuntimeSpecError("namespace \"" + name + "\" does not exist")
            }
            self.type = type
            path = try fields.string("path") ?? ""
        }
    }

    package struct IDMapping: Sendable, Equatable {
        package var containerID: UInt32
        package var hostID: UInt32
        package var size: UInt32

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            containerID = try fields.integer("containerID") ?? 0
            hostID = try fields.integer("hostID") ?? 0
            size = try fields.integer("size") ?? 0
        }
    }

    /// A node to make under /dev.
    package struct Device: Sendable, Equatable {
        /// `c`, `u`, `b` or `p`.
        package var type: String
        package var path: String
        package var major: Int64
        package var minor: Int64
        package var fileMode: UInt32?
        package var uid: UInt32
        package var gid: UInt32

        package init(type: String, path: String, major: Int64, minor: Int64, fileMode: UInt32?) {
            self.type = type
            self.path = path
            self.major = major
            self.minor = minor
            self.fileMode = fileMode
            uid = 0
            gid = 0
        }

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            type = try fields.required("type")
            path = try fields.required("path")
            major = try fields.integer("major") ?? 0
            minor = try fields.integer("minor") ?? 0
            fileMode = try fields.integer("fileMode")
            uid = try fields.integer("uid") ?? 0
            gid = try fields.integer("gid") ?? 0
            guard ["c", "u", "b", "p"].contains(type) else {
                throw RuntimeSpecError("device " + path + ": unknown type \"" + type + "\"")
            }
        }
    }
}

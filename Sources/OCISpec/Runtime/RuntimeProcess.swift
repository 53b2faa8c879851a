// SPDX-License-Identifier: Apache-2.0
package import JSON

/// `process`: the program to run; also what `exec --process` reads.
package struct RuntimeProcess: Sendable, Equatable {
    package var hasTerminal = false
    package var consoleSize: ConsoleSize?
    package var user = User()
    package var args: [String] = []
    package var environment: [String] = []
    package var cwd = "/"
    /// Nil when the config says nothing: then nothing is changed but what `user` implies.
    package var capabilities: Capabilities?
    package var limits: [Limit] = []
    package var noNewPrivileges = false
    package var apparmorProfile = ""
    package var selinuxLabel = ""
    package var oomScoreAdjustment: Int32?
    package var scheduler: Scheduler?
    package var ioPriority: IOPriority?
    package var cpuAffinity = CPUAffinity()

    package init() {}

    /// Reads a process object as `exec --process` gets it.
    package init(_ value: JSONValue) throws(RuntimeSpecError) {
        try self.init(try RuntimeFields(value, path: "process"))
    }

    /// The members that an added process takes from the container where it has none.
    package static let inheritedKeys = [
        "capabilities", "apparmorProfile", "selinuxLabel", "rlimits", "ioPriority", "scheduler", "execCPUAffinity",
    ]

    init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
        hasTerminal = try fields.bool("terminal")
        if let size = try fields.object("consoleSize") {
            consoleSize = ConsoleSize(width: try size.integer("width") ?? 0, height: try size.integer("height") ?? 0)
        }
        if let found = try fields.object("user") { user = try User(found) }
        args = try fields.strings("args")
        environment = try fields.strings("env")
        cwd = try fields.string("cwd") ?? ""
        capabilities = try fields.object("capabilities").map { (sets) throws(RuntimeSpecError) in
            try Capabilities(sets)
        }
        for limit in try fields.objects("rlimits") { limits.append(try Limit(limit)) }
        noNewPrivileges = try fields.bool("noNewPrivileges")
        apparmorProfile = try fields.string("apparmorProfile") ?? ""
        selinuxLabel = try fields.string("selinuxLabel") ?? ""
        oomScoreAdjustment = try fields.integer("oomScoreAdj")
        scheduler = try fields.object("scheduler").map { (found) throws(RuntimeSpecError) in try Scheduler(found) }
        ioPriority = try fields.object("ioPriority").map { (found) throws(RuntimeSpecError) in try IOPriority(found) }
        if let found = try fields.object("execCPUAffinity") { cpuAffinity = try CPUAffinity(found) }
    }
}

extension RuntimeProcess {
    package struct ConsoleSize: Sendable, Equatable {
        package var width: UInt16
        package var height: UInt16
    }

    package struct User: Sendable, Equatable {
        package var uid: UInt32 = 0
        package var gid: UInt32 = 0
        package var additionalGroups: [UInt32] = []
        package var umask: UInt32?

        package init() {}

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            uid = try fields.integer("uid") ?? 0
            gid = try fields.integer("gid") ?? 0
            additionalGroups = try fields.integers("additionalGids", as: UInt32.self)
            umask = try fields.integer("umask")
        }
    }

    /// The five sets, as names (`CAP_CHOWN`).
    package struct Capabilities: Sendable, Equatable {
        package var bounding: [String] = []
        package var effective: [String] = []
        package var inheritable: [String] = []
        package var permitted: [String] = []
        package var ambient: [String] = []

        package init() {}

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            bounding = try fields.strings("bounding")
            effective = try fields.strings("effective")
            inheritable = try fields.strings("inheritable")
            permitted = try fields.strings("permitted")
            ambient = try fields.strings("ambient")
        }
    }

    package struct Limit: Sendable, Equatable {
        package var type: String
        package var soft: UInt64
        package var hard: UInt64

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            type = try fields.required("type")
            soft = try fields.integer("soft") ?? 0
            hard = try fields.integer("hard") ?? 0
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON

extension SpecBuilder {
    /// Where `--init` puts the init program.
    static var initPath: String { "/sbin/docker-init" }

    func process(capabilities: [String]) throws(SpecError) -> JSONValue {
        let config = input.config
        var process: JSONValue = ["terminal": .bool(config.tty)]
        let size = (input.hostConfig["ConsoleSize"].array ?? []).compactMap { $0.int }
        if config.tty, size.count == 2, size[0] > 0, size[1] > 0 {
            process.set("consoleSize", ["height": .int(size[0]), "width": .int(size[1])])
        }
        process.set("user", input.user.specUser)
        process.set("args", .strings(arguments))
        process.set("env", .strings(Environment.process(config: config, additional: [], linked: input.linkEnvironment)))
        process.set("cwd", .string(config.workingDirectory.isEmpty ? "/" : config.workingDirectory))
        process.set("capabilities", Self.capabilitySets(capabilities, uid: input.user.uid))
        let limits = try Self.rlimits(input.hostConfig, defaults: input.defaultUlimits)
        if !limits.isEmpty { process.set("rlimits", .array(limits)) }
        if input.security.noNewPrivileges { process.set("noNewPrivileges", true) }
        process.set("oomScoreAdj", .int(input.hostConfig.number("OomScoreAdj")))
        return process
    }

    private var arguments: [String] {
        let command = (input.config.entrypoint ?? []) + (input.config.command ?? [])
        return input.initProgram == nil ? command : [Self.initPath, "--"] + command
    }

    /// A user other than root starts with empty sets; the bounding set says what set-uid programs may reach.
    package static func capabilitySets(_ names: [String], uid: UInt32) -> JSONValue {
        let list = JSONValue.strings(names)
        return uid == 0 ? ["bounding": list, "effective": list, "permitted": list] : ["bounding": list]
    }

    package static func rlimits(
        _ hostConfig: HostConfig, defaults: [JSONValue] = []
    ) throws(SpecError) -> [JSONValue] {
        let own = hostConfig.objects("Ulimits")
        let names = own.compactMap { $0["Name"]?.string }
        let inherited = defaults.filter { !names.contains($0["Name"]?.string ?? "") }
        var limits: [JSONValue] = []
        for limit in own + inherited { limits.append(try rlimit(limit)) }
        return limits
    }

    private static func rlimit(_ limit: JSONValue) throws(SpecError) -> JSONValue {
        let name = limit["Name"]?.string ?? ""
        guard limitNames.contains(name) else { throw SpecError("invalid ulimit type: \(name)") }
        let hard = limit["Hard"]?.int ?? 0
        let soft = limit["Soft"]?.int ?? 0
        if hard != -1, soft > hard || soft == -1 {
            throw SpecError("ulimit soft limit must be less than or equal to hard limit: \(soft) > \(hard)")
        }
        return [
            "type": .string("RLIMIT_" + name.uppercased()), "hard": limitValue(hard),
            "soft": limitValue(soft),
        ]
    }

    /// What a limit of processes may be called, without `RLIMIT_`.
    package static let limitNames = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
        "rttime", "sigpending", "stack",
    ]

    /// -1 stands for RLIM_INFINITY, which is the largest unsigned number.
    private static func limitValue(_ value: Int64) -> JSONValue {
        value < 0 ? .number(text: String(UInt64.max)) : .int(value)
    }
}

extension ResolvedUser {
    var specUser: JSONValue {
        var user: JSONValue = ["uid": .int(Int64(uid)), "gid": .int(Int64(gid))]
        if !additionalGIDs.isEmpty { user.set("additionalGids", .array(additionalGIDs.map { .int(Int64($0)) })) }
        return user
    }
}

/// The environment of a container's processes.
package enum Environment {
    /// PATH, HOSTNAME and, with a terminal, TERM; then what image and user set, which replaces these.
    package static func process(
        config: ContainerConfig, additional: [String], linked: [String] = [], tty: Bool? = nil
    ) -> [String] {
        var defaults = ["PATH=" + DefaultPaths.searchPath, "HOSTNAME=" + config.hostname]
        if tty ?? config.tty { defaults.append("TERM=xterm") }
        return merge(merge(defaults + linked, config.env), additional)
    }

    /// `changes` replace the values of `base` in place; a name without `=` removes the variable.
    package static func merge(_ base: [String], _ changes: [String]) -> [String] {
        var result = base
        for change in changes {
            let name = name(of: change)
            let index = result.firstIndex { self.name(of: $0) == name }
            if !change.contains("=") {
                if let index { result.remove(at: index) }
            } else if let index {
                result[index] = change
            } else {
                result.append(change)
            }
        }
        return result
    }

    package static func name(of variable: String) -> String {
        String(variable.prefix { $0 != "=" })
    }
}

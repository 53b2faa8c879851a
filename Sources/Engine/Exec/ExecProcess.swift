// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON

/// Makes the `process` object of an exec from its own settings and its container's. Pure.
struct ExecProcess {
    var exec: ExecConfig
    var container: ContainerRecord
    var host: HostFacts
    /// The daemon's settings, where the container has none of its own.
    var defaults: EngineConfiguration
    var consoleSize: ConsoleSize?
    /// The variables of the container's links.
    var linked: [String] = []

    func build(user: ResolvedUser) throws(SpecError) -> JSONValue {
        let config = container.config
        let cwd = exec.workingDirectory.isEmpty ? config.workingDirectory : exec.workingDirectory
        var process: JSONValue = ["terminal": .bool(exec.tty)]
        if exec.tty, let consoleSize, consoleSize.height > 0, consoleSize.width > 0 {
            process.set("consoleSize", ["height": .int(consoleSize.height), "width": .int(consoleSize.width)])
        }
        process.set("user", user.specUser)
        process.set("args", .strings(exec.command))
        process.set(
            "env",
            .strings(
                Environment.process(config: config, additional: exec.env, linked: linked, tty: exec.tty)))
        process.set("cwd", .string(cwd.isEmpty ? "/" : cwd))
        process.set("capabilities", SpecBuilder.capabilitySets(try capabilities(), uid: user.uid))
        let limits = try SpecBuilder.rlimits(container.hostConfig, defaults: defaults.defaultUlimits)
        if !limits.isEmpty { process.set("rlimits", .array(limits)) }
        let security = try SecurityOptions(
            parsing: container.hostConfig.list("SecurityOpt"), defaults: defaults)
        if security.noNewPrivileges { process.set("noNewPrivileges", true) }
        process.set("oomScoreAdj", .int(container.hostConfig.number("OomScoreAdj")))
        return process
    }

    private func capabilities() throws(SpecError) -> [String] {
        if exec.privileged || container.hostConfig.privileged { return host.capabilities }
        return try Capability.select(
            add: container.hostConfig.list("CapAdd"), drop: container.hostConfig.list("CapDrop"),
            available: host.capabilities)
    }
}

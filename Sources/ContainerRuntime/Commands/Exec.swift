// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Confinement
import Flags
import JSON
import LinuxSystem
import OCISpec

var execCommand: Command {
    Command(
        name: "exec", help: "run another process in a container", usage: "CONTAINER-ID [COMMAND [ARGUMENTS]]",
        flags: execFlags, arity: .atLeast(1), failurePrefix: "exec failed: ", failureCode: 255, entersContainer: true,
        passesArgumentsOn: true
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        switch container.status {
        case .stopped: throw RuntimeError("cannot exec in a stopped container")
        case .paused where !invocation.values.bool("ignore-paused"):
            throw RuntimeError("cannot exec in a paused container (use --ignore-paused to override)")
        default: break
        }
        var process = try ProcessPlan(try describeProcess(invocation, container))
        try process.adjust(to: .current())
        try addKernelSettings(of: container, to: &process)
        for warning in process.capabilityWarnings { invocation.log.warning(warning) }
        let options = try execOptions(invocation)
        try closeForeignDescriptors(preserved: options.preservedDescriptors)
        let launcher = ExecLauncher(
            container: container, process: process, options: options,
            subcgroups: try Subcgroups(invocation.values.list("cgroup")), log: invocation.log)
        return try run(launcher, invocation.values)
    }
}

private var execFlags: [Flag] {
    [
        .string("console-socket", "socket that the terminal is sent to"),
        .string("cwd", "working directory"), .list("env", short: "e", "environment variable"),
        .bool("tty", short: "t", "with a terminal"), .string("user", short: "u", "uid[:gid]"),
        .list("additional-gids", short: "g", "additional group"),
        .string("process", short: "p", "file with the process as JSON"),
        .bool("detach", short: "d", "do not wait for it"), .string("pid-file", "file to write the process id to"),
        .string("process-label", "SELinux label"), .string("apparmor", "AppArmor profile"),
        .bool("no-new-privs", "set no_new_privs"), .list("cap", short: "c", "additional capability"),
        .int("preserve-fds", "how many descriptors from 3 on it gets"),
        .bool("ignore-paused", "also into a paused container"),
        .list("cgroup", "[CONTROLLER,...:]PATH below the container's cgroup"),
        .string("pidfd-socket", "socket that a pidfd of the process is sent to"),
    ]
}

private func execOptions(_ invocation: Invocation) throws(RuntimeError) -> LaunchOptions {
    var options = LaunchOptions(bundle: FilePath("/"))
    if let path = invocation.values.optional("pid-file"), !path.isEmpty { options.pidFile = FilePath(path) }
    if let path = invocation.values.optional("console-socket"), !path.isEmpty {
        options.consoleSocket = FilePath(path)
    }
    if let path = invocation.values.optional("pidfd-socket"), !path.isEmpty { options.pidfdSocket = FilePath(path) }
    options.preservedDescriptors = try descriptorCount(invocation.values)
    return options
}

private func addKernelSettings(of container: Container, to process: inout ProcessPlan) throws(RuntimeError) {
    let inherited = container.record.inherited
    try valid { () throws(RuntimeSpecError) in
        let (personality, policy) = try RuntimeLinux.settings(inherited)
        if let personality { process.scheduling.personality = try personalityNumber(personality) }
        if let policy { process.scheduling.memoryPolicy = try .make(policy) }
    }
}

/// The process that is asked for: a file's, or the container's own with what the flags change.
private func describeProcess(_ invocation: Invocation, _ container: Container) throws(RuntimeError) -> RuntimeProcess {
    let values = invocation.values
    if let path = values.optional("process"), !path.isEmpty {
        return try readProcess(FilePath(path), inheriting: container.record.inherited)
    }
    let arguments = Array(values.arguments.dropFirst())
    if arguments.isEmpty { throw RuntimeError("process args cannot be empty") }
    var process = try readOwnProcess(of: container)
    process.args = arguments
    process.hasTerminal = values.bool("tty")
    process.environment += values.list("env")
    if let cwd = values.optional("cwd") { process.cwd = cwd }
    if let label = values.optional("process-label") { process.selinuxLabel = label }
    if let profile = values.optional("apparmor") { process.apparmorProfile = profile }
    if values.isSet("no-new-privs") { process.noNewPrivileges = values.bool("no-new-privs") }
    try changeUser(of: &process, values)
    addCapabilities(values.list("cap"), to: &process)
    return process
}

/// The `process` of the container's own config.json.
private func readOwnProcess(of container: Container) throws(RuntimeError) -> RuntimeProcess {
    try readSpec(FilePath(container.record.config)).process ?? RuntimeProcess()
}

private func readProcess(
    _ path: FilePath, inheriting inherited: JSONValue
) throws(RuntimeError) -> RuntimeProcess {
    let bytes = try step("") { () throws(SysError) in try readFile(path, limit: 32 << 20) }
    var value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
        throw RuntimeError("invalid process file: " + error.description)
    }
    for key in RuntimeProcess.inheritedKeys where value[key] == nil && value.members != nil {
        if let member = inherited[key] { value.set(key, member) }
    }
    return try valid { () throws(RuntimeSpecError) in try RuntimeProcess(value) }
}

/// `uid[:gid]`, decimal and nothing else: names are the caller's business.
private func changeUser(of process: inout RuntimeProcess, _ values: FlagValues) throws(RuntimeError) {
    func number(_ text: Substring, _ what: String) throws(RuntimeError) -> UInt32 {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let value = UInt32(text) else {
            throw RuntimeError("parsing " + String(text) + " as int for " + what + " failed")
        }
        return value
    }
    if let user = values.optional("user") {
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        process.user.uid = try number(parts[0], "uid")
        process.user.gid = parts.count > 1 ? try number(parts[1], "gid") : process.user.gid
    }
    for group in values.list("additional-gids") {
        process.user.additionalGroups.append(try number(group[...], "gid"))
    }
}

private func addCapabilities(_ names: [String], to process: inout RuntimeProcess) {
    if names.isEmpty { return }
    var sets = process.capabilities ?? RuntimeProcess.Capabilities()
    sets.bounding += names
    sets.effective += names
    sets.permitted += names
    // Nothing can be ambient that is not inheritable.
    if !sets.inheritable.isEmpty { sets.ambient += names }
    process.capabilities = sets
}

private func run(_ launcher: ExecLauncher, _ values: FlagValues) throws(RuntimeError) -> CInt {
    let hasTerminal = launcher.process.hasTerminal
    if values.bool("detach") {
        if hasTerminal, launcher.options.consoleSocket == nil {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        let console = try openConsole(launcher.options)
        try starting { () throws(RuntimeError) in _ = try launcher.launch(console: console) }
        return 0
    }
    let signals = try step("") { () throws(SysError) in try SignalDescriptor(nonBlocking: true) }
    guard hasTerminal else {
        let child = try starting { () throws(RuntimeError) in try launcher.launch(console: nil) }
        return try Foreground(child, signals: signals).wait()
    }
    let sockets = try step("") { () throws(SysError) in try UnixSocket.pair() }
    let ours = sockets.first
    let theirs: OwnedFD? = sockets.second
    let child = try starting { () throws(RuntimeError) in try launcher.launch(console: theirs) }
    let master = try step("receive the terminal") { () throws(SysError) in try receiveDescriptor(ours) }
    guard let master else { throw RuntimeError("the container sent no terminal") }
    return try Foreground(child, signals: signals).relay(master)
}

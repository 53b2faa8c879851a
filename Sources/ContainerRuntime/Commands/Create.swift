// SPDX-License-Identifier: Apache-2.0
import CLinux
import Flags
import LinuxSystem
import OCISpec

var launchFlags: [Flag] {
    [
        .string("bundle", short: "b", default: "", "the directory of config.json (default: the current one)"),
        .string("config", short: "f", "another config.json than the bundle's"),
        .string("console-socket", "socket that the terminal is sent to"),
        .string("pid-file", "file to write the process id to"),
        .bool("no-pivot", "do not use pivot_root (for a root file system in RAM)"),
        .bool("no-new-keyring", "keep the session keyring of the caller"),
        .int("preserve-fds", "how many descriptors from 3 on the container gets"),
        .string("pidfd-socket", "socket that a pidfd of the container's process is sent to"),
        .bool("no-mount-fallback", "accepted: mounts are never retried with other flags").hiding(),
    ]
}

var createCommand: Command {
    Command(
        name: "create", help: "create a container", usage: "CONTAINER-ID", flags: launchFlags, arity: .exactly(1),
        failurePrefix: "runc create failed: ", entersContainer: true
    ) { invocation throws(RuntimeError) in
        let launcher = try makeLauncher(invocation)
        if launcher.plan.process.hasTerminal, launcher.options.consoleSocket == nil {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        if !launcher.plan.process.hasTerminal, launcher.options.consoleSocket != nil {
            throw RuntimeError("cannot use console socket if runc will not detach or allocate tty")
        }
        let console = try openConsole(launcher.options)
        try starting { () throws(RuntimeError) in
            _ = try launcher.launch(waitsForStart: true, console: console)
        }
        return 0
    }
}

/// Reads the bundle and works out the plan. From here on the bundle is the current directory.
func makeLauncher(_ invocation: Invocation) throws(RuntimeError) -> Launcher {
    try ContainerStore.check(invocation.id)
    let values = invocation.values
    // The files that the caller names are relative to where it stands, the config's to the bundle.
    func absolute(_ flag: String) throws(RuntimeError) -> FilePath? {
        guard let path = values.optional(flag), !path.isEmpty else { return nil }
        return try absolutePath(FilePath(path))
    }
    let pidFile = try absolute("pid-file")
    let pidfdSocket = try absolute("pidfd-socket")
    let consoleSocket = try absolute("console-socket")
    let config = try absolute("config")
    let bundle = try enterBundle(values.string("bundle"))
    var options = LaunchOptions(bundle: bundle, config: config)
    var spec = try readSpec(options.config)
    let listening = listeningDescriptors()
    if listening > 0 { spec.process?.environment += ["LISTEN_FDS=\(listening)", "LISTEN_PID=1"] }
    options.notifySocket = NotifySocket(of: invocation.id, in: invocation.store)
    options.notifySocket?.add(to: &spec)
    let plan = try ContainerPlan(spec, bundle: bundle, privileges: .current())
    for warning in plan.process.capabilityWarnings { invocation.log.warning(warning) }
    options.pidFile = pidFile
    options.consoleSocket = consoleSocket
    options.pidfdSocket = pidfdSocket ?? spec.annotation("run.oci.pidfd_receiver").map { FilePath($0) }
    options.usesSystemd = invocation.cgroupManager == .systemd
    options.usesNoCgroups = invocation.cgroupManager == .disabled
    options.mayLackCgroups =
        invocation.mayLackCgroups ?? (plan.privileges.isUnprivileged || plan.privileges.isInUserNamespace)
    options.noPivot = values.bool("no-pivot")
    options.noNewKeyring = values.bool("no-new-keyring")
    options.preservedDescriptors = try descriptorCount(values)
    try closeForeignDescriptors(preserved: options.preservedDescriptors)
    return try Launcher(
        store: invocation.store, id: invocation.id, plan: plan, options: options, log: invocation.log)
}

/// How many descriptors from 3 on the program gets: those of socket activation, and as many more as the caller says.
func descriptorCount(_ values: FlagValues) throws(RuntimeError) -> UInt32 {
    guard let count = UInt32(exactly: values.int("preserve-fds")), count < 65536 else {
        throw RuntimeError("preserve-fds is out of range")
    }
    let first = 3 + listeningDescriptors()
    for number in 0..<count where swrun_fcntl(CInt(first + number), F_GETFD, 0) < 0 {
        throw RuntimeError(
            "unable to stat preserved-fd \(number) (of \(count)): stat /proc/self/fd/\(first + number): "
                + Errno.noSuchFile.text)
    }
    return first - 3 + count
}

/// How many sockets the service manager gave us (sd_listen_fds(3)).
private func listeningDescriptors() -> UInt32 {
    guard Environment.value("LISTEN_PID") == String(getpid()), let text = Environment.value("LISTEN_FDS"),
        let count = UInt32(text), count < 65536
    else { return 0 }
    return count
}

/// What the caller left open by mistake must not be there inside the container: even marked to be closed by execve, a
/// directory of the host could be named as `/proc/self/fd/N` until then (CVE-2024-21626). Called as soon as the files
/// that the command line names, which may be such descriptors, are read.
func closeForeignDescriptors(preserved: UInt32) throws(RuntimeError) {
    try step("") { () throws(SysError) in try sys("close_range") { swrun_close_range(3 + preserved, .max, 0) } }
}

private func enterBundle(_ path: String) throws(RuntimeError) -> FilePath {
    if !path.isEmpty, chdir(path) != 0 { throw RuntimeError("chdir " + path + ": " + Errno.current.text) }
    return try absolutePath(FilePath("."))
}

/// Reads a config.json.
func readSpec(_ path: FilePath) throws(RuntimeError) -> RuntimeSpec {
    let bytes: [UInt8]
    do throws(SysError) { bytes = try readFile(path, limit: 32 << 20) } catch {
        if error.errno == .noSuchFile { throw RuntimeError("JSON specification file config.json not found") }
        throw RuntimeError(error.description)
    }
    do throws(RuntimeSpecError) { return try RuntimeSpec(parsing: bytes) } catch {
        throw RuntimeError("invalid config.json: " + error.message)
    }
}

/// The path from the root, without `.` and `..`.
func absolutePath(_ path: FilePath) throws(RuntimeError) -> FilePath {
    if path.isAbsolute { return path.normalized }
    let current = try step("") { () throws(SysError) in try readLink(FilePath("/proc/self/cwd")) }
    return (current / path.string).normalized
}

func openConsole(_ options: LaunchOptions) throws(RuntimeError) -> OwnedFD? {
    guard let path = options.consoleSocket else { return nil }
    return try step("connect to the console socket") { () throws(SysError) in try UnixSocket.connect(path) }
}

/// Says in an error that it happened while the process was being started, in runc's words.
func starting<R: ~Copyable>(_ body: () throws(RuntimeError) -> R) throws(RuntimeError) -> R {
    do throws(RuntimeError) { return try body() } catch {
        let isPlain =
            error.message.hasPrefix("container with given ID") || error.message.hasPrefix("invalid container ID")
        throw isPlain ? error : RuntimeError("unable to start container process: " + error.message)
    }
}

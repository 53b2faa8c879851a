// SPDX-License-Identifier: Apache-2.0
import CLinux
import Flags
import LinuxSystem
import OCISpec

var launchFlags: [Flag] {
    [
        .string("bundle", short: "b", default: "", "the directory of config.json (default: the current one)"),
        .string("console-socket", "socket that the terminal is sent to"),
        .string("pid-file", "file to write the process id to"),
        .bool("no-pivot", "do not use pivot_root (for a root file system in RAM)"),
        .bool("no-new-keyring", "keep the session keyring of the caller"),
        .int("preserve-fds", "how many descriptors from 3 on the container gets"),
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
    let consoleSocket = try absolute("console-socket")
    let bundle = try enterBundle(values.string("bundle"))
    let plan = try ContainerPlan(try readSpec(in: bundle), bundle: bundle)
    for name in plan.process.unknownCapabilities {
        invocation.log.warning("ignoring unknown or unavailable capability: " + name)
    }
    var options = LaunchOptions(bundle: bundle)
    options.pidFile = pidFile
    options.consoleSocket = consoleSocket
    options.noPivot = values.bool("no-pivot")
    options.noNewKeyring = values.bool("no-new-keyring")
    options.preservedDescriptors = try descriptorCount(values)
    return try Launcher(store: invocation.store, id: invocation.id, plan: plan, options: options)
}

func descriptorCount(_ values: FlagValues) throws(RuntimeError) -> UInt32 {
    guard let count = UInt32(exactly: values.int("preserve-fds")), count < 65536 else {
        throw RuntimeError("preserve-fds is out of range")
    }
    for number in 0..<count where swrun_fcntl(CInt(number) + 3, F_GETFD, 0) < 0 {
        throw RuntimeError("please check that preserved-fd \(number + 3) (of \(count)) is present")
    }
    return count
}

private func enterBundle(_ path: String) throws(RuntimeError) -> FilePath {
    if !path.isEmpty, chdir(path) != 0 { throw RuntimeError("chdir " + path + ": " + Errno.current.text) }
    return try absolutePath(FilePath("."))
}

/// Reads a bundle's config.json.
func readSpec(in bundle: FilePath) throws(RuntimeError) -> RuntimeSpec {
    let bytes: [UInt8]
    do throws(SysError) { bytes = try readFile(bundle / "config.json", limit: 32 << 20) } catch {
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

// SPDX-License-Identifier: Apache-2.0
import CLinux
import Flags
import LinuxSystem

/// One run of a command: its flags and arguments, and the global flags.
struct Invocation {
    let values: FlagValues
    let store: ContainerStore
    var log: Log
    /// Whether a container may be without cgroups where none may be made; nil: if the user is not the host's root.
    var mayLackCgroups: Bool?
    var cgroupManager = CgroupManager.cgroupfs

    /// The argument that every command on a container has first.
    var id: String { values.arguments.first ?? "" }

    func container() throws(RuntimeError) -> Container { try Container(id, in: store) }
}

/// Who makes the cgroups (crun's `--cgroup-manager`).
enum CgroupManager: String {
    case cgroupfs
    case systemd
    /// Nobody: containers stay in those of the caller, and have no limits.
    case disabled
}

/// A command of the runtime: its name, its flags, how many arguments it takes, and what it does. The result is the
/// exit code.
struct Command {
    enum Arity {
        case exactly(Int)
        case atLeast(Int)
        case any
    }

    let name: String
    let help: String
    let usage: String
    let flags: [Flag]
    let arity: Arity
    /// What stands before the text of an error, and the exit code that goes with it.
    var failurePrefix = ""
    var failureCode: CInt = 1
    /// Whether a process of this program will be inside a container.
    var entersContainer = false
    /// Whether everything behind the first argument belongs to another program (`exec`, `ps`).
    var passesArgumentsOn = false
    let run: (Invocation) throws(RuntimeError) -> CInt
}

/// The runtime's whole command line (runc's): global flags, a command, its flags, its arguments.
package enum RuntimeCommandLine {
    /// Runs what `arguments` (with the program's name) ask for and returns the exit code.
    package static func run(_ arguments: [String]) -> CInt {
        let globals: FlagValues
        do throws(FlagError) {
            globals = try FlagSet(globalFlags, style: .go).parse(Array(arguments.dropFirst()))
        } catch {
            writeText(1, "Incorrect Usage. " + error.message + "\n\n" + helpText)
            writeLine(2, error.message)
            return 1
        }
        let log = makeLog(globals)
        do throws(SysError) { try log.prepare() } catch {
            writeLine(2, "open " + error.subject + ": " + error.errno.text)
            return 1
        }
        if globals.bool("version") { return printVersion() }
        guard let name = globals.arguments.first, !globals.bool("help"), name != "help" else {
            let asked = globals.arguments.dropFirst().first.flatMap { command($0) }
            writeText(1, asked.map { help(of: $0) } ?? helpText)
            return 0
        }
        guard let command = command(name) else {
            log.error("No help topic for '" + name + "'")
            return 3
        }
        return run(command, Array(globals.arguments.dropFirst()), globals, log, arguments)
    }

    private static func makeLog(_ globals: FlagValues) -> Log {
        Log(
            path: globals.optional("log").map { FilePath($0) }, isJSON: globals.string("log-format") == "json",
            isDebug: globals.bool("debug"))
    }

    private static func run(
        _ command: Command, _ arguments: [String], _ globals: FlagValues, _ log: Log, _ fullCommandLine: [String]
    ) -> CInt {
        let values: FlagValues
        do throws(FlagError) {
            values = try FlagSet(
                command.flags + [helpFlag], style: .go, isInterspersed: !command.passesArgumentsOn
            ).parse(arguments)
        } catch {
            writeText(1, "Incorrect Usage: " + error.message + "\n\n" + help(of: command))
            log.error(error.message)
            return 1
        }
        if values.bool("help") {
            writeText(1, help(of: command))
            return 0
        }
        if let format = globals.optional("log-format"), !["text", "json", ""].contains(format) {
            log.error("invalid log-format: " + format)
            return 1
        }
        if let complaint = command.complaint(about: values.arguments.count) {
            writeText(1, "Incorrect Usage.\n\n" + help(of: command))
            log.error((fullCommandLine.first ?? "swrunc") + ": \"" + command.name + "\" " + complaint)
            return 1
        }
        do throws(RuntimeError) {
            let invocation = Invocation(
                values: values, store: ContainerStore(root: try absolutePath(root(globals))), log: log,
                mayLackCgroups: try mayLackCgroups(globals), cgroupManager: try cgroupManager(globals))
            if command.entersContainer {
                try step("") { () throws(SysError) in
                    // Who is not root has to write to the files of its own processes in /proc, until they are inside.
                    if geteuid() == 0 { try Privileges.setNotDumpable() }
                    try runFromUnwritableProgram(fullCommandLine, log)
                }
            }
            return try command.run(invocation)
        } catch {
            log.error(command.failurePrefix + error.message)
            return command.failureCode
        }
    }

    private static func cgroupManager(_ globals: FlagValues) throws(RuntimeError) -> CgroupManager {
        if globals.bool("systemd-cgroup") { return .systemd }
        let name = globals.string("cgroup-manager")
        if let found = CgroupManager(rawValue: name) { return found }
        throw RuntimeError("cgroup manager \"" + name + "\" is not supported, only cgroupfs, systemd and disabled")
    }

    private static func mayLackCgroups(_ globals: FlagValues) throws(RuntimeError) -> Bool? {
        switch globals.string("rootless") {
        case "auto", "": return nil
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw RuntimeError("strconv.ParseBool: parsing \"" + globals.string("rootless") + "\": invalid syntax")
        }
    }

    /// A user other than root has a directory for the time of a login (XDG Base Directory Specification). Who is root of
    /// a user namespace alone, as podman is, has the user's, but for one that calls itself root (runc's rule).
    private static func root(_ globals: FlagValues) -> FilePath {
        if let given = globals.optional("root"), !given.isEmpty { return FilePath(given) }
        if let directory = Environment.nonEmpty("XDG_RUNTIME_DIR"),
            geteuid() != 0 || HostPrivileges.current().isInUserNamespace && Environment.value("USER") != "root"
        {
            return FilePath(directory) / "swrunc"
        }
        return FilePath("/run/swrunc")
    }

    private static var helpFlag: Flag { .bool("help", short: "h", "show help") }

    static var globalFlags: [Flag] {
        [
            .string("root", default: "/run/swrunc", "directory for the state of containers"),
            .string("log", "file to append the log to"),
            .string("log-format", default: "text", "format of the log: text or json"),
            .bool("debug", "log more"),
            .bool("systemd-cgroup", "let systemd make the cgroups; cgroupsPath is slice:prefix:name then"),
            .string(
                "cgroup-manager", default: "cgroupfs",
                "who makes the cgroups, as crun has it: cgroupfs, systemd or disabled"),
            .string("rootless", default: "auto", "ignore cgroups that may not be used: true, false or auto"),
            .string("criu", "ignored: criu is found in PATH").hiding(),
            .bool("version", short: "v", "print the version"),
            helpFlag,
        ]
    }

    /// In the order of the help.
    static let commandNames = [
        "checkpoint", "create", "delete", "events", "exec", "features", "kill", "list", "pause", "ps", "restore",
        "resume", "run", "spec", "start", "state", "update",
    ]

    /// Only the command that is run is built: a start of this program should cost next to nothing.
    static func command(_ name: String) -> Command? {
        switch name {
        case "checkpoint": checkpointCommand
        case "create": createCommand
        case "delete": deleteCommand
        case "events": eventsCommand
        case "exec": execCommand
        case "features": featuresCommand
        case "kill": killCommand
        case "list": listCommand
        case "pause": pauseCommand
        case "ps": psCommand
        case "restore": restoreCommand
        case "resume": resumeCommand
        case "run": runCommand
        case "spec": specCommand
        case "start": startCommand
        case "state": stateCommand
        case "update": updateCommand
        default: nil
        }
    }
}

extension Command {
    /// What is wrong with the number of arguments, if anything.
    fileprivate func complaint(about count: Int) -> String? {
        switch arity {
        case .exactly(let wanted) where count != wanted: "requires exactly \(wanted) argument(s)"
        case .atLeast(let wanted) where count < wanted: "requires a minimum of \(wanted) argument(s)"
        default: nil
        }
    }
}

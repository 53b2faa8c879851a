// SPDX-License-Identifier: Apache-2.0
import CLinux
import Confinement
import LinuxSystem
import OCISpec

/// The last steps of every process of a container, init or added: labels, user, filter, program. It runs inside the
/// container's namespaces and root.
struct ProgramStart: ~Copyable {
    let process: ProcessPlan
    let filter: SeccompFilter?
    /// For the labels; nil if there are none.
    let proc: ProcFiles?
    /// Descriptors from 3 on that the program gets.
    let preservedDescriptors: UInt32
    /// Something of the runtime's still runs before the program, and must be under the filter too.
    var loadsFilterEarly = false

    /// What `prepare` found out.
    struct Prepared {
        let program: String
        let environment: [String]
    }

    /// Everything up to the point of no return.
    borrowing func prepare(_ channel: borrowing ChildChannel) throws(RuntimeError) -> Prepared {
        // All of ours are so already. This is for what we do not know of, and a filter may refuse it later.
        try step("") { () throws(SysError) in
            try sys("close_range") { swrun_close_range(3 + preservedDescriptors, .max, closeOnExecutionOnly) }
        }
        try applyLabels()
        try schedule()
        _ = umask(process.umask)
        let environment = completedEnvironment()
        ownStandardStreams()
        // The directory may be out of the user's reach, or only within it: once as root, else as the user.
        let enteredEarly = chdir(process.cwd) == 0
        if enteredEarly { try checkWorkingDirectory() }  // now, since a filter may refuse getcwd(2)
        try step("apply the process's user, groups and capabilities") { () throws(SysError) in
            try process.confinement.apply(filter: filter) { (number) throws(SysError) in
                try announce(number, channel)
            }
        }
        // A change of ids makes a process dumpable again; until execve nobody in the container may look into us.
        try step("") { () throws(SysError) in try Privileges.setNotDumpable() }
        if !enteredEarly {
            if chdir(process.cwd) != 0 {
                throw RuntimeError(
                    "chdir to cwd (\"" + process.cwd + "\") set in config.json failed: " + Errno.current.text)
            }
            try checkWorkingDirectory()
        }
        let program = try findProgram(process.args[0], path: process.variable("PATH"))
        if isFilterEarly {
            try step("error during seccomp setup") { () throws(SysError) in
                try process.confinement.finish(filter: filter) { (number) throws(SysError) in
                    try announce(number, channel)
                }
            }
        }
        return Prepared(program: program, environment: environment)
    }

    private var isFilterEarly: Bool { loadsFilterEarly || filter?.hasListener == true }

    /// Gives the listener to the launcher, and waits until the agent has it.
    private func announce(_ number: CInt, _ channel: borrowing ChildChannel) throws(SysError) {
        try channel.send(.listening(number))
        try channel.waitForGo()
        close(number)
    }

    private borrowing func schedule() throws(RuntimeError) {
        do throws(SysError) { try process.scheduling.apply() } catch {
            if error.operation == "sched_setattr", error.errno == .notPermitted {
                throw RuntimeError(
                    "setting scheduler: process scheduler can't be used together with AllowedCPUs: "
                        + error.errno.text)
            }
            throw RuntimeError(error.description)
        }
    }

    /// Pipes and terminals that the caller made become the user's, so that `/dev/stdout` can be opened again. What
    /// cannot be given away stays.
    private borrowing func ownStandardStreams() {
        let (uid, gid) = (process.confinement.uid, process.confinement.gid)
        if uid == 0 { return }
        for number in CInt(0)..<3 {
            var info = stat()
            if fstat(number, &info) != 0 || info.st_uid == uid { continue }
            // The host's null device is everybody's.
            if info.st_mode & 0o170000 == 0o020000, info.st_rdev == swrun_makedev(1, 3) { continue }
            _ = fchown(number, uid, info.st_mode & 0o170000 == 0o020000 ? gid_t.max : gid)
        }
    }

    /// Loads the filter if it comes last, closes what is not the program's, and becomes the program. Returns only to
    /// say why not.
    borrowing func execute(_ prepared: Prepared) -> RuntimeError {
        if !isFilterEarly {
            do throws(SysError) { try process.confinement.finish(filter: filter) { _ throws(SysError) in } } catch {
                return RuntimeError(error.description)
            }
        }
        let errno = withCStrings(process.args) { argv in
            withCStrings(prepared.environment) { envp in
                _ = swrun_execve(prepared.program, argv, envp)
                return Errno.current
            }
        }
        return RuntimeError("exec " + prepared.program + ": " + errno.text)
    }

    private borrowing func applyLabels() throws(RuntimeError) {
        if !process.apparmorProfile.isEmpty { try applyLabel("exec " + process.apparmorProfile, "apparmor profile") }
        if !process.selinuxLabel.isEmpty { try applyLabel(process.selinuxLabel, "selinux label") }
    }

    private borrowing func applyLabel(_ text: String, _ kind: String) throws(RuntimeError) {
        try step("apply " + kind) { () throws(SysError) in
            guard proc != nil else { throw SysError("write", "attr/exec", .noSuchFile) }
            try proc?.write("thread-self/attr/exec", text)
        }
    }

    private borrowing func completedEnvironment() -> [String] {
        let environment = withoutRepetition(process.environment)
        if let home = process.variable("HOME"), !home.isEmpty { return environment }
        let others = environment.filter { !$0.hasPrefix("HOME=") }
        return others + ["HOME=" + homeDirectory(of: process.confinement.uid)]
    }

    /// A directory that is not below the container's root came from a leaked descriptor (`/proc/self/fd/7`).
    private func checkWorkingDirectory() throws(RuntimeError) {
        var buffer = [CChar](repeating: 0, count: 4097)
        let length = Int(swrun_getcwd(&buffer, 4096))
        guard length > 0, buffer[0] == CChar(bitPattern: UInt8(ascii: "/")) else {
            throw RuntimeError("current working directory is outside of container mount namespace root")
        }
    }
}

/// Says on the container's stderr why the program could not be executed, and ends. From the launcher's side the container
/// has started by then, and the launcher may be gone.
func endAfterFailedExecution(_ failure: RuntimeError) -> Never {
    let text = Array((failure.message + "\n").utf8)
    _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    swrun_exit_now(255)
}

/// Each variable once: of several with one name the last counts.
func withoutRepetition(_ environment: [String]) -> [String] {
    func name(_ index: Int) -> Substring.UTF8View.SubSequence {
        Substring(environment[index]).utf8.prefix { $0 != UInt8(ascii: "=") }
    }
    let sorted = environment.indices.sorted { left, right in
        if name(left).elementsEqual(name(right)) { return left < right }
        return name(left).lexicographicallyPrecedes(name(right))
    }
    var isOutdated = [Bool](repeating: false, count: environment.count)
    for (index, next) in zip(sorted, sorted.dropFirst()) where name(index).elementsEqual(name(next)) {
        isOutdated[index] = true
    }
    return environment.indices.filter { !isOutdated[$0] }.map { environment[$0] }
}

/// CLOSE_RANGE_CLOEXEC
private let closeOnExecutionOnly: UInt32 = 4

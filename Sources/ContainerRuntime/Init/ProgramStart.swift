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

    /// What `prepare` found out.
    struct Prepared {
        let program: String
        let environment: [String]
    }

    /// Everything up to the point of no return.
    borrowing func prepare() throws(RuntimeError) -> Prepared {
        try applyLabels()
        _ = umask(process.umask)
        let environment = completedEnvironment()
        // The directory may be out of the user's reach, or only within it: once as root, else as the user.
        let enteredEarly = chdir(process.cwd) == 0
        try step("apply the process's user, groups and capabilities") { () throws(SysError) in
            try process.confinement.apply(filter: filter)
        }
        // A change of ids makes a process dumpable again; until execve nobody in the container may look into us.
        try step("") { () throws(SysError) in try Privileges.setNotDumpable() }
        if !enteredEarly {
            if chdir(process.cwd) != 0 {
                throw RuntimeError(
                    "chdir to cwd (\"" + process.cwd + "\") set in config.json failed: " + Errno.current.text)
            }
        }
        try checkWorkingDirectory()
        let program = try findProgram(process.args[0], path: process.variable("PATH"))
        return Prepared(program: program, environment: environment)
    }

    /// Loads the filter if it comes last, closes what is not the program's, and becomes the program. Returns only to
    /// say why not.
    borrowing func execute(_ prepared: Prepared) -> RuntimeError {
        do throws(SysError) {
            try sys("close_range") { swrun_close_range(3 + preservedDescriptors, .max, closeOnExecutionOnly) }
            try process.confinement.finish(filter: filter)
        } catch { return RuntimeError(error.description) }
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
        if let home = process.variable("HOME"), !home.isEmpty { return process.environment }
        let others = process.environment.filter { !$0.hasPrefix("HOME=") }
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

/// CLOSE_RANGE_CLOEXEC
private let closeOnExecutionOnly: UInt32 = 4

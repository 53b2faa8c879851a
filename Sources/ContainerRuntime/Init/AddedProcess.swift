// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Confinement
import LinuxSystem

/// A process that `exec` adds to a running container: it moves into the container's world and runs its program.
struct AddedProcess: ~Copyable {
    let process: ProcessPlan
    let namespaces: NamespaceFlags
    let keyring: String?
    let filter: SeccompFilter?
    let preservedDescriptors: UInt32
    let channel: ChildChannel
    /// Closed as soon as the process is through: they are descriptors of the host.
    var doors: CgroupDoors?
    /// The container's init, as a pidfd.
    let initProcess: OwnedFD
    let console: OwnedFD?
    /// The terminal is relayed by the launcher itself.
    let isInForeground: Bool

    /// Never returns. An error goes to the launcher.
    consuming func run() -> Never {
        let failure: RuntimeError
        do throws(RuntimeError) { failure = try perform() } catch {
            try? channel.send(.failed(error.message))
            swrun_exit_now(255)
        }
        endAfterFailedExecution(failure)
    }

    /// Returns only with the reason why the program was not executed.
    private mutating func perform() throws(RuntimeError) -> RuntimeError {
        swrun_reset_signals()
        try step("join the container's cgroups") { () throws(SysError) in
            if !process.affinity.initial.isEmpty { try ProcessorAffinity.set(process.affinity.initial) }
            try doors?.enter()
            if !process.affinity.final.isEmpty {
                try ProcessorAffinity.set(process.affinity.final)
            } else if process.affinity.initial.isEmpty {
                ProcessorAffinity.reset()
            }
        }
        doors = nil
        let proc = try makeProc()
        try process.setLimits()
        try step("join the container's namespaces") { () throws(SysError) in
            try joinNamespace(initProcess, namespaces)
            if namespaces.contains(.user) { try becomeRoot(or: process.confinement) }
            try sys("setsid") { setsid() }
        }
        if let keyring {
            try step("join a session keyring") { () throws(SysError) in try Privileges.joinSessionKeyring(keyring) }
        }
        if process.hasTerminal { try attachTerminal() }
        let start = ProgramStart(
            process: process, filter: filter, proc: proc, preservedDescriptors: preservedDescriptors)
        let prepared = try start.prepare(channel)
        try step("wait for the launcher") { () throws(SysError) in
            try channel.send(.ready)
            try channel.waitForGo()
        }
        return start.execute(prepared)
    }

    /// Made while this process still has the host's privileges: the container's own /proc has masked parts, and with
    /// those the kernel gives no new procfs to a user namespace.
    private borrowing func makeProc() throws(RuntimeError) -> ProcFiles? {
        guard process.hasLabels else { return nil }
        return try step("mount a private proc") { () throws(SysError) in try ProcFiles() }
    }

    private borrowing func attachTerminal() throws(RuntimeError) {
        guard let socket = try step("", { () throws(SysError) in try console?.duplicate() }) else {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        try step("set up the console") { () throws(SysError) in
            let root = try open(FilePath("/"), O_PATH | O_DIRECTORY)
            let terminal = try ContainerTerminal(root: root, size: process.consoleSize)
            if isInForeground { terminal.endLinesAsOutputDoes() }
            try terminal.send(to: socket)
            try terminal.becomeStandard(owner: process.confinement.uid)
        }
    }
}

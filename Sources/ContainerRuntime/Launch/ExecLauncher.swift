// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Confinement
import JSON
import LinuxSystem
import OCISpec

/// Adds a process to a running container: the host's side of `AddedProcess`.
struct ExecLauncher {
    let container: Container
    let process: ProcessPlan
    let options: LaunchOptions
    let subcgroups: Subcgroups
    let log: Log

    /// Returns once the program runs. Nothing is left behind by an error.
    func launch(console: borrowing OwnedFD?) throws(RuntimeError) -> LaunchedContainer {
        let child = try clone(console: console)
        log.debug("nsexec container setup: cloned process \(child.pid)")
        if !process.affinity.initial.isEmpty {
            log.debug("nsexec[\(child.pid)]: affinity: " + ProcessorAffinity.text(process.affinity.initial))
        }
        do throws(RuntimeError) {
            try container.store.resctrlGroup(of: container.record.id)?.add(child.pid)
            try child.setOOMScore(process)
            try child.expect(.ready)
            log.debug("child process in init()")
            if let path = options.pidfdSocket { try child.sendPidfd(to: path, name: "setns") }
            log.debug("setns_init: about to exec")
            if let pidFile = options.pidFile { try writePIDFile(pidFile, child.pid) }
            try child.go()
            try child.expect(.ended)
            return child
        } catch {
            try? sendSignal(SIGKILL, to: child.process)
            _ = try? waitForChild(child.pid)
            throw error
        }
    }

    private func clone(console: borrowing OwnedFD?) throws(RuntimeError) -> LaunchedContainer {
        guard let initProcess = try container.openInit() else {
            throw RuntimeError("cannot exec in a stopped container")
        }
        let filter = try container.store.loadFilter(of: container.record.id)
        let doors = try addingToCgroups { () throws(SysError) in
            try CgroupDoors(container.cgroup, below: subcgroups.paths)
        }
        let sockets = try step("") { () throws(SysError) in try UnixSocket.pair() }
        let terminal = try step("", { () throws(SysError) in try console?.duplicate() })
        let isUnprivileged = geteuid() != 0 && container.isSeparate(.user)
        let result =
            try isUnprivileged
            ? cloneInside(initProcess)
            : withJoinedNamespaces(pidNamespace) { () throws(RuntimeError) in
                try addingToCgroups { () throws(SysError) in try clone(into: doors) }
            }
        switch consume result {
        case .child:
            close(sockets.first)  // or the end of the launcher would not be seen
            let added = AddedProcess(
                process: process, namespaces: isUnprivileged ? namespaces.subtracting(.user) : namespaces,
                keyring: options.noNewKeyring ? nil : "_ses." + container.record.id, filter: filter,
                preservedDescriptors: options.preservedDescriptors, channel: ChildChannel(socket: sockets.second),
                doors: doors, initProcess: initProcess, console: terminal,
                isInForeground: options.consoleSocket == nil)
            added.run()
        case .parent(let pid, let process):
            return LaunchedContainer(
                pid: pid, process: process, channel: LauncherChannel(socket: sockets.first), agent: agent)
        }
    }

    private var agent: SeccompAgent? {
        let found = container.record.inherited["seccompAgent"]
        guard let path = found?["path"]?.string else { return nil }
        return SeccompAgent(
            path: path, metadata: found?["metadata"]?.string ?? "", state: container.state(container.status))
    }

    /// runc's words.
    private func addingToCgroups<R: ~Copyable>(_ body: () throws(SysError) -> R) throws(RuntimeError) -> R {
        do throws(SysError) { return try body() } catch {
            throw RuntimeError("error adding pid of the new process to cgroups: " + error.description)
        }
    }

    /// Version 2 has no processes in a cgroup whose children have controllers: a container that manages cgroups itself
    /// has moved all of its own further down. Then the place is beside its init.
    private func clone(into doors: borrowing CgroupDoors) throws(SysError) -> CloneResult {
        do throws(SysError) { return try cloneProcess([], intoCgroup: doors.unifiedNumber) } catch {
            guard error.errno == .busy, subcgroups.paths.isEmpty,
                let place = try container.cgroup.unifiedDirectory(of: container.record.pid)
            else { throw error }
            return try cloneProcess([], intoCgroup: place.raw)
        }
    }

    /// Who is not root may join the other namespaces only from within their user namespace.
    private func cloneInside(_ initProcess: borrowing OwnedFD) throws(RuntimeError) -> CloneResult {
        let joined: NamespaceFlags = container.isSeparate(.pid) ? [.user, .pid] : .user
        let target = initProcess.raw
        return try step("join the container's user namespace") { () throws(SysError) in
            try cloneProcess([], intoCgroup: nil) { () throws(SysError) in
                try joinNamespace(try OwnedFD(duplicating: target), joined)
                try becomeRoot(or: process.confinement)
            }
        }
    }

    /// The pid namespace holds for children only: the launcher is in it while it clones.
    private var pidNamespace: [NamespacePlan.Joined] {
        guard container.isSeparate(.pid) else { return [] }
        return [.init(type: .pid, path: FilePath("/proc/\(container.record.pid)/ns/pid"))]
    }

    private var namespaces: NamespaceFlags {
        var flags: NamespaceFlags = []
        for (type, flag) in [
            (.user, .user), (.mount, .mount), (.network, .network), (.ipc, .ipc), (.uts, .uts), (.cgroup, .cgroup),
            (.time, .time),
        ] as [(RuntimeLinux.NamespaceType, NamespaceFlags)] where container.isSeparate(type) {
            flags.formUnion(flag)
        }
        return flags
    }
}

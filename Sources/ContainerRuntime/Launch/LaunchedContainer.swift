// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Confinement
package import LinuxSystem
import OCISpec

/// A process that the launcher made, and the line to it.
@usableFromInline package struct LaunchedContainer: ~Copyable {
    package let pid: Int32
    package let process: OwnedFD
    let channel: LauncherChannel
    /// Who is told of a seccomp listener; nil if the filter has none.
    var agent: SeccompAgent?
    /// Whose mounts may have to be id-mapped while they are made; nil for who makes none.
    var plan: ContainerPlan?
    /// Where it says that it is ready; nil if nobody wants to know, or if that is for `start` to wait for.
    var readiness: Readiness?

    /// The next message; a failure of the child, or its early end, is an error.
    borrowing func expect(_ expected: ChildMessage) throws(RuntimeError) {
        let message = try step("talk to the container's process") { () throws(SysError) in try channel.receive() }
        switch message {
        case expected: return
        case .mapping(let number, let index):
            try mapMount(number, Int(index))
            try go()
            try expect(expected)
        case .listening(let number):
            guard let agent else { throw RuntimeError("seccomp listenerPath is not set") }
            try agent.send(number, of: process, pid: pid)
            try go()
            try expect(expected)
        case .failed(let text): throw RuntimeError(text)
        case .ended: throw RuntimeError("the container's process ended unexpectedly")
        default: throw RuntimeError("the container's process said something unexpected")
        }
    }

    /// What takes privileges in the namespace that the mapping is for: the process has them in its own alone.
    private borrowing func mapMount(_ number: Int32, _ index: Int) throws(RuntimeError) {
        guard let plan, plan.mounts.indices.contains(index), let mapping = plan.mounts[index].idMapping else {
            throw RuntimeError("the container's process said something unexpected")
        }
        let mount = plan.mounts[index]
        try step(mount.failure) { () throws(SysError) in
            var namespaces = IDMapNamespaces()
            try namespaces.apply(
                mapping, of: plan, to: MountTree(try fetchDescriptor(number, of: process)),
                recursive: mount.options.isIDMapRecursive)
        }
    }

    borrowing func go() throws(RuntimeError) {
        try step("talk to the container's process") { () throws(SysError) in try channel.sendGo() }
    }

    /// Gives whoever listens there a descriptor for the process itself.
    borrowing func sendPidfd(to path: FilePath, name: String) throws(RuntimeError) {
        try step("send the pidfd to " + path.string) { () throws(SysError) in
            let socket = try UnixSocket.connect(path)
            let target = socket.raw
            var descriptor = process.raw
            let bytes = Array(name.utf8)
            try sys("sendmsg") {
                bytes.withUnsafeBytes { swrun_send_fds(target, $0.baseAddress, $0.count, &descriptor, 1) }
            }
        }
    }

    borrowing func setOOMScore(_ plan: ProcessPlan) throws(RuntimeError) {
        guard let adjustment = plan.oomScoreAdjustment else { return }
        try step("set oom_score_adj") { () throws(SysError) in
            try writeText(FilePath("/proc/\(pid)/oom_score_adj"), String(adjustment))
        }
    }
}

extension ProcessPlan {
    /// Sets the process's limits, those of the caller itself by default.
    ///
    /// Raising one needs a privilege of the host's user namespace, and setting that of a process which has changed its
    /// user already needs it too. So a process sets its own as long as it is the launcher's equal; one that was born in
    /// another user namespace is helped by its launcher.
    func setLimits(of pid: Int32 = 0) throws(RuntimeError) {
        for limit in limits {
            try step("error setting rlimit type \(limit.resource)") { () throws(SysError) in
                try Privileges.setLimit(limit.resource, soft: limit.soft, hard: limit.hard, of: pid)
            }
        }
    }
}

extension NamespacePlan {
    /// The process is born in a user namespace other than the launcher's.
    var hasOtherUsers: Bool { new.contains(.user) || joined.contains { $0.type == .user } }
}

extension Launcher {
    /// Sets the cgroups' limits and device rules.
    func applyLimits() throws(RuntimeError) {
        if options.usesNoCgroups { return }
        try applying { () throws(SysError) in try cgroup.apply(plan.spec.linux.resources) }
        if let owner = plan.cgroupOwner { try applying { () throws(SysError) in try cgroup.delegate(to: owner) } }
    }

    /// Sets what the child brings into the container, and makes the cgroup's unit of systemd, with it inside.
    func place(_ child: borrowing LaunchedContainer) throws(RuntimeError) {
        if plan.namespaces.hasOtherUsers { try plan.process.setLimits(of: child.pid) }
        try resctrl?.add(child.pid)
        try child.setOOMScore(plan.process)  // while the process's files in /proc still are ours
        if let unit {
            let properties = try unitProperties(annotations: plan.spec.annotations)
            try unit.start(
                child.pid, id: id, properties: unitProperties(cgroup.settings(plan.spec.linux.resources)) + properties)
        }
    }

    /// The host's part of the conversation with the child (see `SyncChannel`), and the container's record.
    func accompany(_ child: borrowing LaunchedContainer) throws(RuntimeError) {
        if unit != nil { try applyLimits() }
        if plan.namespaces.new.contains(.user) { try writeIDMaps(plan, of: child.pid) }
        if plan.namespaces.new.contains(.user) || unit != nil { try child.go() }
        try moveNetworkDevices(plan.spec.linux.networkDevices, to: child.pid)
        let hooks = plan.spec.hooks
        if hooks.hasAnyBeforeEntry {
            try prefixed { () throws(RuntimeError) in try child.expect(.prepared) }
            try runHooks(hooks.prestart, named: "prestart", state: hookState(child.pid))
            try runHooks(hooks.createRuntime, named: "createRuntime", state: hookState(child.pid))
            try child.go()
        }
        try prefixed { () throws(RuntimeError) in try child.expect(.ready) }
        log.debug("child process in init()")
        try record(child)
        if let path = options.pidfdSocket { try child.sendPidfd(to: path, name: "standard") }
        try child.go()
        log.debug("init: closing the pipe to signal completion")
    }

    /// Says of an error what runc says of all that its init does.
    func prefixed<R: ~Copyable>(_ body: () throws(RuntimeError) -> R) throws(RuntimeError) -> R {
        do throws(RuntimeError) { return try body() } catch {
            throw RuntimeError("error during container init: " + error.message)
        }
    }

    func hookState(_ pid: Int32) -> RuntimeState {
        RuntimeState(
            ociVersion: plan.spec.ociVersion, id: id, status: .creating, pid: pid, bundle: options.bundle.string,
            annotations: plan.spec.annotations)
    }

    /// Writes down what was made, and the pid file.
    func record(_ child: borrowing LaunchedContainer) throws(RuntimeError) {
        guard let stat = ProcessStat.read(child.pid) else {
            throw RuntimeError("the container's process ended unexpectedly")
        }
        try store.save(
            ContainerRecord(
                plan: plan, id: id, pid: child.pid, startTime: stat.startTime, options: options,
                created: Timestamp.now.rfc3339(), cgroup: cgroup.isMissing ? nil : cgroup.location, unit: unit))
        if let pidFile = options.pidFile { try writePIDFile(pidFile, child.pid) }
    }

    /// exec.fifo as a descriptor that keeps its meaning in any root.
    func openFifo(if needed: Bool) throws(RuntimeError) -> OwnedFD? {
        guard needed else { return nil }
        return try step("open exec.fifo") { () throws(SysError) in try open(store.fifo(id), O_PATH) }
    }

    /// The clone itself, from inside the namespaces to join. A user namespace to join needs a step between: only from
    /// within it can the other new namespaces be made so that they belong to it.
    func cloneInit(_ doors: borrowing CgroupDoors) throws(RuntimeError) -> CloneResult {
        let new = plan.namespaces.new.subtracting([.cgroup, .time])
        let cgroup = doors.unifiedNumber
        guard let user = plan.namespaces.joined.first(where: { $0.type == .user }) else {
            return try step("unable to start container process") { () throws(SysError) in
                try cloneProcess(new, intoCgroup: cgroup)
            }
        }
        let others = plan.privileges.isUnprivileged ? plan.namespaces.joinedFromOutside : []
        return try step("join the user namespace " + user.path.string) { () throws(SysError) in
            try cloneProcess(new, intoCgroup: cgroup) { () throws(SysError) in
                try joinNamespace(try open(user.path, O_RDONLY), .user)
                try becomeRoot(or: plan.process.confinement)
                for namespace in others { try joinNamespace(try open(namespace.path, O_RDONLY), namespace.type) }
            }
        }
    }
}

/// The pid as decimal digits without a newline; the file appears complete.
func writePIDFile(_ path: FilePath, _ pid: Int32) throws(RuntimeError) {
    try step("write the pid file") { () throws(SysError) in
        try replaceFile(path, Array(String(pid).utf8), mode: 0o644)
    }
}

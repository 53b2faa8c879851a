// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Confinement
package import LinuxSystem
import OCISpec

/// Makes a container from a plan: the host's side of what `ContainerInit` does inside.
package struct Launcher {
    package let store: ContainerStore
    package let id: String
    package let plan: ContainerPlan
    package let options: LaunchOptions
    private(set) var cgroup: ContainerCgroup
    /// The share of caches; nil if the config asks for none.
    let resctrl: ResctrlGroup?
    /// The cgroup's unit; nil if systemd has nothing to do with it.
    let unit: SystemdUnit?
    let log: Log

    init(
        store: ContainerStore, id: String, plan: ContainerPlan, options: LaunchOptions, log: Log
    ) throws(RuntimeError) {
        self.log = log
        self.store = store
        self.id = id
        self.plan = plan
        self.options = options
        resctrl = try plan.spec.linux.intelRdt.map { (config) throws(RuntimeError) in
            try ResctrlGroup(config, id: id, root: Resctrl.mounted())
        }
        let layout = try step("find the cgroup hierarchies") { () throws(SysError) in try CgroupLayout.detect() }
        let cgroupsPath = plan.spec.linux.cgroupsPath
        if options.usesSystemd {
            let unit = try SystemdUnit(cgroupsPath: cgroupsPath, id: id, isUser: options.mayLackCgroups)
            let location = try unit.location(unified: layout.isUnifiedOnly)
            self.unit = unit
            cgroup = ContainerCgroup(layout: layout, location: location)
            return
        }
        unit = nil
        let location = try step("find the cgroup of this process") { () throws(SysError) in
            try CgroupLocation(cgroupsPath: cgroupsPath, id: id, layout: layout) {
                () throws(SysError) in
                try readText(FilePath("/proc/self/cgroup"))
            }
        }
        cgroup = ContainerCgroup(layout: layout, location: location)
    }

    /// Makes the container. With `waitsForStart` its process then waits at the fifo, and another program's `start`
    /// lets it go on; without, it runs its program before this returns. Nothing is left behind by an error.
    package func launch(waitsForStart: Bool, console: borrowing OwnedFD?) throws(RuntimeError) -> LaunchedContainer {
        try claiming { (launcher) throws(RuntimeError) in
            if waitsForStart { try launcher.makeFifo() }
            return try launcher.start(waitsForStart: waitsForStart, console: console)
        }
    }

    /// Takes the id and makes the cgroup for what `body` makes. Nothing is left behind by an error.
    func claiming(
        _ body: (Launcher) throws(RuntimeError) -> LaunchedContainer
    ) throws(RuntimeError) -> LaunchedContainer {
        try store.reserve(id)
        do throws(RuntimeError) { try applying { () throws(SysError) in try cgroup.checkUnused() } } catch {
            try? store.remove(id)  // but not the cgroup, which is somebody else's
            throw error
        }
        do throws(RuntimeError) {
            try options.notifySocket?.makeDirectory()
            try store.note(cgroup.location, of: id)
            var launcher = self
            launcher.cgroup = options.usesNoCgroups ? .missing : try makeCgroup()
            if let resctrl {
                try store.note(resctrl, of: id)
                try resctrl.make()
            }
            return try body(launcher)
        } catch {
            try? cgroup.remove()
            try? resctrl?.remove()
            try? store.remove(id)
            throw error
        }
    }

    private func makeCgroup() throws(RuntimeError) -> ContainerCgroup {
        do throws(SysError) {
            try cgroup.create()
            return cgroup
        } catch {
            let prefix = "unable to apply cgroup configuration: "
            guard options.mayLackCgroups, plan.spec.linux.cgroupsPath.isEmpty,
                [Errno.accessDenied, .notPermitted, .readOnly].contains(error.errno)
            else { throw RuntimeError(prefix + error.description) }
            try? cgroup.remove()
            guard plan.spec.linux.resources.limits == RuntimeResources() else {
                throw RuntimeError(
                    prefix + "rootless needs no limits + no cgrouppath when no permission is granted for cgroups: "
                        + error.description)
            }
            return .missing
        }
    }

    /// Runs a step on the cgroup; its error says so.
    func applying(_ body: () throws(SysError) -> Void) throws(RuntimeError) {
        try step("unable to apply cgroup configuration", body)
    }

    private func makeFifo() throws(RuntimeError) {
        let path = store.fifo(id).string
        let old = umask(0)
        defer { _ = umask(old) }
        // The process opens it for writing when it already is the container's user.
        try step("make exec.fifo") { () throws(SysError) in try sys("mkfifo", path) { mkfifo(path, 0o622) } }
    }

    private func start(waitsForStart: Bool, console: borrowing OwnedFD?) throws(RuntimeError) -> LaunchedContainer {
        let filter = try makeFilter()
        // Before the child is in there: cgroup v1 takes device rules one by one, and it makes nodes. systemd makes no
        // unit without a process, and writes limits of its own: there the child waits.
        if unit == nil { try applyLimits() }
        var child = try clone(waitsForStart: waitsForStart, console: console, filter: filter)
        log.debug("nsexec container setup: cloned process \(child.pid)")
        var isPlaced = false
        do throws(RuntimeError) {
            if !waitsForStart { child.readiness = try options.notifySocket?.listen() }
            try place(child)
            isPlaced = true
            try accompany(child)
            return child
        } catch {
            try? sendSignal(SIGKILL, to: child.process)
            _ = try? waitForChild(child.pid)
            if isPlaced { try? unit?.stop() }  // a unit that could not be made may be somebody else's
            throw error
        }
    }

    private var agent: SeccompAgent? {
        guard let profile = plan.spec.linux.seccomp, !profile.listenerPath.isEmpty else { return nil }
        return SeccompAgent(
            path: profile.listenerPath, metadata: profile.listenerMetadata, state: hookState(0))
    }

    /// Clones the init process. In the child this never returns.
    private func clone(
        waitsForStart: Bool, console: borrowing OwnedFD?, filter: SeccompFilter?
    ) throws(RuntimeError) -> LaunchedContainer {
        let sources = try prefixed { () throws(RuntimeError) in
            plan.privileges.isUnprivileged ? nil : try ContainerSources(plan)
        }
        let doors = try step("open the container's cgroups") { () throws(SysError) in try CgroupDoors(cgroup) }
        let sockets = try step("") { () throws(SysError) in try UnixSocket.pair() }
        let gate = try openFifo(if: waitsForStart)
        let terminal = try step("", { () throws(SysError) in try console?.duplicate() })
        let newTime = plan.namespaces.new.contains(.time) ? plan.spec.linux.timeOffsets : nil
        // Who is not root can join namespaces only from within their user namespace.
        let joined = plan.privileges.isUnprivileged ? [] : plan.namespaces.joinedFromOutside
        let result = try withJoinedNamespaces(joined, newTime: newTime) { () throws(RuntimeError) in
            try cloneInit(doors)
        }
        switch consume result {
        case .child:
            close(sockets.first)  // or the end of the launcher would not be seen
            let process = ContainerInit(
                id: id, plan: plan, cgroup: cgroup, filter: filter, options: options,
                channel: ChildChannel(socket: sockets.second), doors: doors, console: terminal, fifo: gate,
                sources: sources)
            process.run()
        case .parent(let pid, let process):
            return LaunchedContainer(
                pid: pid, process: process, channel: LauncherChannel(socket: sockets.first), agent: agent, plan: plan)
        }
    }
}

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
    let cgroup: ContainerCgroup
    let log: Log

    init(
        store: ContainerStore, id: String, plan: ContainerPlan, options: LaunchOptions, log: Log
    ) throws(RuntimeError) {
        self.log = log
        self.store = store
        self.id = id
        self.plan = plan
        self.options = options
        let layout = try step("find the cgroup hierarchies") { () throws(SysError) in try CgroupLayout.detect() }
        cgroup = ContainerCgroup(
            layout: layout, path: cgroupPath(cgroupsPath: plan.spec.linux.cgroupsPath, id: id))
    }

    /// Makes the container. With `waitsForStart` its process then waits at the fifo, and another program's `start`
    /// lets it go on; without, it runs its program before this returns. Nothing is left behind by an error.
    package func launch(waitsForStart: Bool, console: borrowing OwnedFD?) throws(RuntimeError) -> LaunchedContainer {
        try store.reserve(id)
        do throws(RuntimeError) { try applying { () throws(SysError) in try cgroup.checkUnused() } } catch {
            try? store.remove(id)  // but not the cgroup, which is somebody else's
            throw error
        }
        do throws(RuntimeError) {
            try store.note(cgroupPath: cgroup.path, of: id)
            try applying { () throws(SysError) in try cgroup.create() }
            if waitsForStart { try makeFifo() }
            return try start(waitsForStart: waitsForStart, console: console)
        } catch {
            try? cgroup.remove()
            try? store.remove(id)
            throw error
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
        // Before the child is in there: cgroup v1 takes device rules one by one, and it makes nodes.
        try applyLimits()
        let child = try clone(waitsForStart: waitsForStart, console: console, filter: filter)
        log.debug("nsexec container setup: cloned process \(child.pid)")
        do throws(RuntimeError) {
            try accompany(child)
            return child
        } catch {
            try? sendSignal(SIGKILL, to: child.process)
            _ = try? waitForChild(child.pid)
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
        let tree = try step("error preparing rootfs") { () throws(SysError) in
            try MountTree.clone(path: plan.rootfs, recursive: true)
        }
        try step("error preparing rootfs") { () throws(SysError) in
            guard isDirectory(try status(tree.fd)) else { throw SysError("open", plan.rootfs.string, .notDirectory) }
            try tree.change(propagation: plan.hostPropagation, recursive: true)
        }
        let sources = try BindSources(plan)
        let doors = try step("open the container's cgroups") { () throws(SysError) in try CgroupDoors(cgroup) }
        let sockets = try step("") { () throws(SysError) in try UnixSocket.pair() }
        let gate = try openFifo(if: waitsForStart)
        let terminal = try step("", { () throws(SysError) in try console?.duplicate() })
        let newTime = plan.namespaces.new.contains(.time) ? plan.spec.linux.timeOffsets : nil
        let result = try withJoinedNamespaces(plan.namespaces.joined, newTime: newTime) { () throws(RuntimeError) in
            try cloneInit(doors)
        }
        switch consume result {
        case .child:
            close(sockets.first)  // or the end of the launcher would not be seen
            let process = ContainerInit(
                id: id, plan: plan, cgroup: cgroup, filter: filter, options: options,
                channel: ChildChannel(socket: sockets.second), doors: doors, console: terminal, fifo: gate,
                sources: sources)
            process.run(tree: tree)
        case .parent(let pid, let process):
            return LaunchedContainer(
                pid: pid, process: process, channel: LauncherChannel(socket: sockets.first), agent: agent)
        }
    }
}

private func close(_ descriptor: consuming OwnedFD) {}

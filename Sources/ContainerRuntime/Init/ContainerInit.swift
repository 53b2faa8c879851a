// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Confinement
import LinuxSystem
import OCISpec

/// The container's first process, from clone3 to execve: it builds the world around itself.
struct ContainerInit: ~Copyable {
    let id: String
    let plan: ContainerPlan
    let cgroup: ContainerCgroup
    let filter: SeccompFilter?
    let options: LaunchOptions
    let channel: ChildChannel
    /// Closed as soon as the process is through: they are descriptors of the host.
    var doors: CgroupDoors?
    let console: OwnedFD?
    /// exec.fifo as O_PATH: where `start` is waited for; nil if the launcher's word is all.
    let fifo: OwnedFD?
    /// Nil if the process has to find them itself, as root of its user namespace.
    var sources: ContainerSources?

    /// Never returns. An error goes to the launcher.
    consuming func run() -> Never {
        let failure: RuntimeError
        do throws(RuntimeError) { failure = try perform() } catch {
            try? channel.send(.failed(error.message))
            swrun_exit_now(1)
        }
        endAfterFailedExecution(failure)
    }

    /// Returns only with the reason why the program was not executed.
    private mutating func perform() throws(RuntimeError) -> RuntimeError {
        swrun_reset_signals()
        try joinWorld()
        var sources = try takeSources()
        var root = try RootBuilder(attaching: sources.root, plan: plan, cgroup: cgroup)
        for index in plan.mounts.indices { try root.mount(index, source: sources.binds.take(index), channel) }
        try root.makeDevices()
        // Made if it is missing, as runc does; it may lie on one of the mounts.
        try step("mkdir " + plan.process.cwd) { () throws(SysError) in
            _ = try makeDirectoriesInRoot(root.root, plan.process.cwd)
        }
        try runHooksBeforeEntry(root)
        let proc = try makeProc()
        let isOwnNamespace = plan.namespaces.isSeparate(.mount)
        options.noPivot || !isOwnNamespace ? try root.enterByChangingRoot() : try root.enter()
        if plan.process.hasTerminal { try attachTerminal(in: root) }
        try setSysctls(proc)
        try root.seal()
        return try startProgram(proc)
    }

    private mutating func takeSources() throws(RuntimeError) -> ContainerSources {
        if let found = sources.take() { return found }
        return try ContainerSources(plan)
    }

    /// Before the host's /proc is out of sight: the kernel gives a user namespace a new one only while it sees one.
    private borrowing func makeProc() throws(RuntimeError) -> ProcFiles? {
        if fifo == nil, plan.spec.linux.sysctl.isEmpty, !plan.process.hasLabels { return nil }
        return try step("mount a private proc") { () throws(SysError) in try ProcFiles() }
    }

    /// Cgroups, namespaces and session: what surrounds the process before it has files of its own.
    private mutating func joinWorld() throws(RuntimeError) {
        try step("join the container's cgroups") { () throws(SysError) in try doors?.enter() }
        doors = nil
        ProcessorAffinity.reset()
        if plan.namespaces.new.contains(.user) || options.usesSystemd {
            try step("wait for the cgroup and the id mappings") { () throws(SysError) in try channel.waitForGo() }
        }
        if plan.namespaces.new.contains(.user) {
            try step("become root of the user namespace") { () throws(SysError) in
                try becomeRoot(uid: firstID(plan.uidMappings), gid: firstID(plan.gidMappings))
            }
        }
        if plan.namespaces.new.contains(.cgroup) {
            try step("make a cgroup namespace") { () throws(SysError) in try unshareNamespaces(.cgroup) }
        }
        try step("setsid") { () throws(SysError) in try sys("setsid") { setsid() } }
        if !options.noNewKeyring {
            try step("join a session keyring") { () throws(SysError) in try Privileges.joinSessionKeyring("_ses." + id)
            }
        }
        try setNames()
        if plan.namespaces.new.contains(.network) {
            try step("set the loopback interface up") { () throws(SysError) in
                try sys("ioctl(SIOCSIFFLAGS)", "lo") { swrun_loopback_up() }
            }
        }
        if let mounts = plan.namespaces.joined.first(where: { $0.type == .mount }) {
            try step("join the namespace " + mounts.path.string) { () throws(SysError) in
                try joinNamespace(try open(mounts.path, O_RDONLY), .mount)
            }
        }
    }

    private borrowing func setNames() throws(RuntimeError) {
        let (host, domain) = (plan.spec.hostname, plan.spec.domainname)
        if !host.isEmpty {
            try step("sethostname") { () throws(SysError) in
                try sys("sethostname", host) { swrun_sethostname(host, host.utf8.count) }
            }
        }
        if !domain.isEmpty {
            try step("setdomainname") { () throws(SysError) in
                try sys("setdomainname", domain) { swrun_setdomainname(domain, domain.utf8.count) }
            }
        }
    }

    private borrowing func runHooksBeforeEntry(_ root: borrowing RootBuilder) throws(RuntimeError) {
        let hooks = plan.spec.hooks
        if !hooks.hasAnyBeforeEntry { return }
        try step("wait for hooks") { () throws(SysError) in
            try channel.send(.prepared)
            try channel.waitForGo()
        }
        if hooks.createContainer.isEmpty { return }
        let directory = root.root.raw
        try step("") { () throws(SysError) in try sys("fchdir") { fchdir(directory) } }
        try runHooks(hooks.createContainer, named: "createContainer", state: state(.creating))
    }

    private borrowing func state(_ status: RuntimeState.Status) -> RuntimeState {
        RuntimeState(
            ociVersion: plan.spec.ociVersion, id: id, status: status, pid: getpid(), bundle: options.bundle.string,
            annotations: plan.spec.annotations)
    }

    private borrowing func setSysctls(_ proc: borrowing ProcFiles?) throws(RuntimeError) {
        for pair in plan.spec.linux.sysctl {
            let path = sysctlPath(pair.key)
            try step("set sysctl " + pair.key) { () throws(SysError) in try proc?.write("sys/" + path, pair.value) }
        }
    }

    private borrowing func attachTerminal(in root: borrowing RootBuilder) throws(RuntimeError) {
        guard let socket = try step("", { () throws(SysError) in try console?.duplicate() }) else {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        try step("set up the console") { () throws(SysError) in
            let terminal = try ContainerTerminal(root: root.root, size: plan.process.consoleSize)
            if options.consoleSocket == nil { terminal.endLinesAsOutputDoes() }
            try terminal.bindToConsole(root: root.root)
            try terminal.send(to: socket)
            try terminal.becomeStandard(owner: plan.process.confinement.uid)
        }
    }

    /// Opening the fifo blocks until `start` opens its other end.
    private borrowing func waitForStart(_ proc: borrowing ProcFiles?) throws(RuntimeError) {
        guard let gate = try step("", { () throws(SysError) in try fifo?.duplicate() }) else { return }
        swrun_end_on_signals()
        try step("wait for start") { () throws(SysError) in
            guard let writer = try proc?.reopen(gate, O_WRONLY) else {
                throw SysError("open", "exec.fifo", .noSuchFile)
            }
            try writeAll(writer, [UInt8(ascii: "0")])
        }
    }

    private borrowing func startProgram(_ proc: consuming ProcFiles?) throws(RuntimeError) -> RuntimeError {
        if !plan.namespaces.hasOtherUsers { try plan.process.setLimits() }
        let start = ProgramStart(
            process: plan.process, filter: filter, proc: proc, preservedDescriptors: options.preservedDescriptors,
            loadsFilterEarly: !plan.spec.hooks.startContainer.isEmpty)
        let prepared = try start.prepare(channel)
        try step("wait for the launcher") { () throws(SysError) in
            try channel.send(.ready)
            try channel.waitForGo()
        }
        if fifo != nil { try waitForStart(start.proc) }
        try runHooks(
            plan.spec.hooks.startContainer, named: "startContainer", state: state(.created),
            environment: prepared.environment)
        return start.execute(prepared)
    }
}

/// In a user namespace whose ids are mapped: as its root, or as another one that exists in there.
func becomeRoot(uid: UInt32 = 0, gid: UInt32 = 0) throws(SysError) {
    try Privileges.setGroup(gid)
    try Privileges.setUser(uid)
    try Privileges.setNotDumpable()
}

/// As root of a user namespace that was joined; one without root has at least who runs the program.
func becomeRoot(or user: ProcessConfinement) throws(SysError) {
    do throws(SysError) { try becomeRoot() } catch {
        guard error.errno == .invalidArgument else { throw error }
        try becomeRoot(uid: user.uid, gid: user.gid)
    }
}

/// Zero, or what the namespace has instead.
private func firstID(_ mappings: [RuntimeLinux.IDMapping]) -> UInt32 {
    mappings.contains { $0.containerID == 0 } ? 0 : mappings.first?.containerID ?? 0
}

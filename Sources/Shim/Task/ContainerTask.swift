// SPDX-License-Identifier: Apache-2.0
import Cgroups
import LinuxSystem
import ShimAPI
import TTRPC

/// The running thing of a container: its init process, the extra processes, and the runtime that acts on them.
///
/// Operations that need the runtime take their turn in `queue`; everything else is answered at once, so a runtime that
/// hangs in a hook holds up nobody but who asked for it.
final class ContainerTask {
    let id: String
    let bundle: FilePath
    let context: ShimContext
    let runtime: OCIRuntime
    let io: ProcessIO
    let ioOwner: (uid: UInt32, gid: UInt32)
    let rootfs: [Mount]
    /// A directory of criu's files that the start makes init of; empty for a new process.
    let checkpoint: String
    let criuWorkPath: String
    let queue = OperationQueue()
    private(set) var state = TaskState()
    private(set) var pid: Int32 = 0
    private var memory: MemoryWatch?
    /// /proc/PID/cgroup of init, from when it was where the runtime had put it.
    private var membership = ""
    private var figures: CgroupFigures?
    private var waiters: [Responder] = []
    private var deletions: [Responder] = []
    var execs: [ExecProcess] = []
    /// Called once when nothing of the task is left.
    var onGone: (() -> Void)?

    init(_ request: CreateTaskRequest, options: RuntimeOptions, context: ShimContext) throws(SysError) {
        id = request.id
        bundle = FilePath(request.bundle)
        rootfs = request.rootfs
        checkpoint = request.checkpoint
        criuWorkPath = options.criuWorkPath
        self.context = context
        ioOwner = (options.ioUID, options.ioGID)
        let settings = try RuntimeSettings(options, namespace: context.namespace)
        try settings.save(in: bundle)
        runtime = OCIRuntime(settings, bundle: bundle, loop: context.loop, reaper: context.reaper)
        io = ProcessIO(request.stdio, loop: context.loop)
    }

    var paths: ProcessPaths { ProcessPaths(bundle: bundle, execID: nil) }
    var root: FilePath { bundle / "rootfs" }

    // MARK: Events and actions

    /// Feeds an event that nobody waits for to the state machine.
    func report(_ event: TaskState.Event) {
        guard let actions = try? state.on(event) else { return }
        for action in actions { perform(action) }
    }

    /// Feeds a client's request to the state machine; a refused one is answered here and gives nil.
    func request(_ event: TaskState.Event, _ responder: Responder) -> [TaskState.Action]? {
        do throws(TaskState.IllegalTransition) {
            return try state.on(event)
        } catch {
            responder.fail(error.status)
            return nil
        }
    }

    /// Performs an action that is complete in itself. Runtime commands belong to the request that caused them.
    func perform(_ action: TaskState.Action) {
        switch action {
        case .signal(let pid, let signal): _ = try? sendSignal(signal, to: pid)
        case .drain: drain()
        case .publish(let publication): publish(publication)
        case .runtimeStart, .runtimeRestore, .runtimePause, .runtimeResume, .runtimeCheckpoint, .runtimeDelete,
            .runtimeKill, .deleteOnceStopped:
            break
        }
    }

    /// The runtime has made init: parked until Start, or of a checkpoint.
    func didMake(pid: Int32, _ event: TaskState.Event) {
        self.pid = pid
        membership = (try? readText(FilePath("/proc/\(pid)/cgroup"))) ?? ""
        if let cgroup = MemoryCgroup(membership: membership) {
            memory = try? MemoryWatch(cgroup, loop: context.loop) { [self] in context.events.publish(.oom(id: id)) }
        }
        report(event)
        context.reaper.wait(pid) { [self] code, time in
            report(.exited(ExitStatus(code: UInt32(code), exitedAt: time)))
        }
    }

    private func drain() {
        io.processDidEnd { [self] in report(.drained) }
        // Without a pid namespace of its own the container's other processes outlive init.
        if !SpecFacts(bundle: bundle).hasPIDNamespace { runtime.run(["kill", "--all", id, "9"]) { _ in } }
    }

    private func publish(_ publication: TaskState.Publication) {
        switch publication {
        case .create(let pid):
            let event = TaskEvent.create(
                id: id, bundle: bundle.string, rootfs: rootfs, stdio: io.names, checkpoint: checkpoint,
                pid: UInt32(pid))
            context.events.publish(event)
        case .start(let pid): context.events.publish(.start(id: id, pid: UInt32(pid)))
        case .paused: context.events.publish(.paused(id: id))
        case .resumed: context.events.publish(.resumed(id: id))
        case .exit(let pid, let exit):
            memory?.end()
            memory = nil
            context.events.publish(.exit(id: id, processID: id, pid: UInt32(pid), exit))
            didStop(exit)
        case .delete(let pid, let exit):
            context.events.publish(.delete(id: id, processID: "", pid: UInt32(pid), exit))
        }
    }

    private func didStop(_ exit: ExitStatus) {
        for waiter in waiters { waiter.reply(WaitResponse(exit: exit).encoded()) }
        waiters = []
        let pending = deletions
        deletions = []
        for responder in pending { delete(responder) }
    }

    // MARK: What needs no runtime

    func wait(_ responder: Responder) {
        if case .stopped(_, let exit) = state.phase {
            responder.reply(WaitResponse(exit: exit).encoded())
        } else {
            waiters.removeAll { !$0.isWanted }
            waiters.append(responder)
        }
    }

    /// The figures of the container's cgroups; those of a stopped one are gone.
    func statistics(_ responder: Responder) {
        if figures == nil, let layout = try? CgroupLayout.detect() {
            figures = CgroupFigures(layout: layout, membership: membership)
        }
        guard let figures, figures.exist else { return responder.fail(RPCStatus(.notFound, "cgroup does not exist")) }
        responder.reply(StatsResponse(stats: figures.read().message).encoded())
    }

    func deleteOnceStopped(_ responder: Responder) { deletions.append(responder) }

    func describe() -> StateResponse {
        var response = StateResponse()
        response.id = id
        response.bundle = bundle.string
        response.pid = UInt32(pid)
        response.stdio = io.names
        response.status = state.phase.status
        if case .stopped(_, let exit) = state.phase { response.exit = exit }
        return response
    }

    func exec(_ execID: String) throws(RPCStatus) -> ExecProcess {
        guard let exec = execs.first(where: { $0.id == execID }) else {
            throw RPCStatus(.notFound, "process \(execID) does not exist in task \(id)")
        }
        return exec
    }
}

extension TaskState.Phase {
    /// What clients see. A process that has ended shows as running until its output and its exit are published.
    var status: TaskStatus {
        switch self {
        case .creating: .unknown
        case .created, .restorable, .restoring, .starting: .created
        case .running, .exited, .exitedWhileStarting: .running
        case .paused: .paused
        case .stopped, .deleted: .stopped
        }
    }
}

extension TaskState.IllegalTransition {
    /// The answer to a request that does not fit.
    var status: RPCStatus {
        switch (from, event) {
        case (.exited, .kill), (.exitedWhileStarting, .kill), (.stopped, .kill):
            RPCStatus(.notFound, "process already finished")
        case (.deleted, _): RPCStatus(.notFound, "task does not exist")
        case (.creating, _): RPCStatus(.failedPrecondition, "task is still being created")
        case (_, .delete): RPCStatus(.failedPrecondition, "cannot delete a \(from.name) process")
        case (_, .start): RPCStatus(.failedPrecondition, "cannot start a \(from.name) process")
        case (_, .pause): RPCStatus(.failedPrecondition, "cannot pause a \(from.name) container")
        case (_, .resume): RPCStatus(.failedPrecondition, "cannot resume a \(from.name) container")
        case (_, .checkpoint): RPCStatus(.failedPrecondition, "cannot checkpoint a \(from.name) container")
        default: RPCStatus(.failedPrecondition, "not possible for a \(from.name) process")
        }
    }
}

extension TaskState.Phase {
    var name: String {
        switch self {
        case .creating: "creating"
        case .created, .restorable: "created"
        case .restoring, .starting, .running: "running"
        case .paused: "paused"
        case .exitedWhileStarting, .exited, .stopped: "stopped"
        case .deleted: "deleted"
        }
    }
}

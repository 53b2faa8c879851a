// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import ShimAPI
import TTRPC

/// An extra process of a task (an exec).
final class ExecProcess {
    let id: String
    let io: ProcessIO
    private(set) var pid: Int32 = 0
    private(set) var state = ExecState()
    private let task: ContainerTask
    private let paths: ProcessPaths
    private var waiters: [Responder] = []
    private var deletions: [Responder] = []

    /// Opens the streams, so that clients can attach before the process runs, and keeps the OCI `process` for the
    /// runtime.
    init(_ request: ExecProcessRequest, task: ContainerTask) throws(RPCStatus) {
        try ProcessPaths.checkID(request.execID)
        id = request.execID
        self.task = task
        paths = ProcessPaths(bundle: task.bundle, execID: request.execID)
        io = ProcessIO(request.stdio, loop: task.context.loop)
        guard let spec = request.spec else { throw RPCStatus(.invalidArgument, "exec without a process spec") }
        let process = try Self.process(spec.value, terminal: request.stdio.terminal)
        try io.open(owner: task.ioOwner)
        do throws(SysError) {
            try writeFile(paths.processFile, process)
        } catch {
            io.close {}
            throw RPCStatus(error)
        }
    }

    /// The OCI `process` with a terminal if the request asks for one, whatever it says itself: containerd's clients need
    /// not say it twice.
    private static func process(_ spec: [UInt8], terminal: Bool) throws(RPCStatus) -> [UInt8] {
        do throws(JSONError) {
            var process = try JSONValue(parsing: spec)
            guard process["terminal"]?.bool ?? false != terminal else { return spec }
            process.set("terminal", .bool(terminal))
            return process.bytes()
        } catch {
            throw RPCStatus(.invalidArgument, "exec with a process spec that is no JSON: \(error.message)")
        }
    }

    func start(_ responder: Responder) {
        guard request(.start, responder) != nil else { return }
        io.processWillStart()
        var console: ConsoleSocket?
        var arguments = ["exec", "--process", paths.processFile.string, "--detach", "--pid-file", paths.pidFile.string]
        if io.names.terminal {
            guard let socket = try? task.context.makeConsoleSocket() else {
                return fail("cannot make a console socket", responder)
            }
            console = socket
            arguments += ["--console-socket", socket.path.string]
        }
        task.context.reaper.beginExpecting()
        task.runtime.run(arguments + [task.id], io: io) { [self, console] result in
            finishStart(result, console, responder)
            task.context.reaper.endExpecting()
        }
    }

    func kill(signal: Int32, _ responder: Responder) {
        guard let actions = request(.kill(signal: signal), responder) else { return }
        for action in actions { perform(action) }
        responder.reply()
    }

    func delete(_ responder: Responder) {
        let before = state.phase
        guard let actions = request(.delete, responder) else { return }
        for action in actions {
            switch action {
            case .deleteOnceStopped: deletions.append(responder)
            case .remove: remove(responder, before)
            default: perform(action)
            }
        }
    }

    func wait(_ responder: Responder) {
        if case .stopped(_, let exit) = state.phase {
            responder.reply(WaitResponse(exit: exit).encoded())
        } else {
            waiters.removeAll { !$0.isWanted }
            waiters.append(responder)
        }
    }

    func describe() -> StateResponse {
        var response = StateResponse()
        response.id = task.id
        response.execID = id
        response.bundle = task.bundle.string
        response.pid = UInt32(pid)
        response.stdio = io.names
        response.status = state.phase.status
        if case .stopped(_, let exit) = state.phase { response.exit = exit }
        return response
    }

    /// The task is being deleted: whatever state this is in, it ends.
    func abandon() {
        io.close {}
        removeFiles()
        for waiter in waiters { waiter.fail(deleted) }
        waiters = []
    }

    private var deleted: RPCStatus { RPCStatus(.notFound, "process \(id) was deleted") }

    private func finishStart(_ result: RuntimeResult, _ console: ConsoleSocket?, _ responder: Responder) {
        let master = console?.take()
        var failure = result.failure
        if failure == nil, io.names.terminal {
            if let master, (try? io.connect(terminal: master)) != nil {} else { failure = "received no console" }
        }
        let pid = result.failure == nil ? paths.readPid() : nil
        guard failure == nil, let pid else {
            if let pid { _ = try? sendSignal(9, to: pid) }  // nobody would ever know of it
            return fail("OCI runtime exec failed: " + (failure ?? "no pid was written"), responder)
        }
        self.pid = pid
        io.begin()
        report(.started(pid: pid))
        responder.reply(PidResponse(pid: UInt32(pid)).encoded())
        task.context.reaper.wait(pid) { [self] code, time in
            report(.exited(ExitStatus(code: UInt32(code), exitedAt: time)))
        }
    }

    private func fail(_ message: String, _ responder: Responder) {
        responder.fail(RPCStatus(.unknown, message))
        report(.startFailed(ExitStatus(code: 255, exitedAt: .now)))
    }

    private func report(_ event: ExecState.Event) {
        guard let actions = try? state.on(event) else { return }
        for action in actions { perform(action) }
    }

    private func request(_ event: ExecState.Event, _ responder: Responder) -> [ExecState.Action]? {
        do throws(ExecState.IllegalTransition) {
            return try state.on(event)
        } catch {
            responder.fail(error.status)
            return nil
        }
    }

    private func perform(_ action: ExecState.Action) {
        let events = task.context.events
        switch action {
        case .signal(let pid, let signal): _ = try? sendSignal(signal, to: pid)
        case .drain: io.processDidEnd { [self] in report(.drained) }
        case .publishStart(let pid): events.publish(.execStarted(id: task.id, execID: id, pid: UInt32(pid)))
        case .publishExit(let pid, let exit):
            events.publish(.exit(id: task.id, processID: id, pid: UInt32(pid), exit))
            didStop(exit)
        case .endWithoutProcess(let exit):
            io.close {}
            didStop(exit)
        case .runtimeExec, .remove, .deleteOnceStopped: break
        }
    }

    private func didStop(_ exit: ExitStatus) {
        for waiter in waiters { waiter.reply(WaitResponse(exit: exit).encoded()) }
        waiters = []
        let pending = deletions
        deletions = []
        for responder in pending { delete(responder) }
    }

    private func remove(_ responder: Responder, _ phase: ExecState.Phase) {
        task.execs.removeAll { $0 === self }
        removeFiles()
        for waiter in waiters { waiter.fail(deleted) }
        var exit = ExitStatus(code: 0, exitedAt: .now)
        if case .stopped(_, let status) = phase { exit = status }
        let response = DeleteResponse(pid: UInt32(pid), exit: exit)
        io.close { responder.reply(response.encoded()) }
    }

    private func removeFiles() {
        _ = try? removeFile(paths.processFile)
        _ = try? removeFile(paths.pidFile)
    }
}

extension ExecState.Phase {
    /// What clients see; see `TaskState.Phase.status`.
    var status: TaskStatus {
        switch self {
        case .added, .starting: .created
        case .running, .exited: .running
        case .stopped, .deleted: .stopped
        }
    }
}

extension ExecState.IllegalTransition {
    var status: RPCStatus {
        switch (from, event) {
        case (.exited, .kill), (.stopped, .kill): RPCStatus(.notFound, "process already finished")
        case (.added, .kill), (.starting, .kill): RPCStatus(.failedPrecondition, "process not created")
        case (.deleted, _): RPCStatus(.notFound, "process does not exist")
        case (_, .start): RPCStatus(.failedPrecondition, "cannot start a process twice")
        default: RPCStatus(.failedPrecondition, "cannot delete a running process")
        }
    }
}

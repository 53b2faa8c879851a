// SPDX-License-Identifier: Apache-2.0
// The operations on a task that the OCI runtime performs.
import JSON
import LinuxSystem
import ShimAPI
import TTRPC

extension ContainerTask {
    // MARK: Create

    /// Mounts the root file system, opens the streams and has the runtime make init, unless the start makes it of a
    /// checkpoint. A failure takes everything back.
    func create(_ responder: Responder) {
        do throws(RPCStatus) {
            try prepare()
        } catch {
            return abandon(error, responder)
        }
        guard checkpoint.utf8.isEmpty else {
            report(.hasCheckpoint)
            return responder.reply(PidResponse(pid: 0).encoded())
        }
        makeInit("create") { [self] made in
            switch made {
            // A supervisor that has died meanwhile takes the task for one that never was.
            case .success where !responder.isWanted:
                runtime.run(["delete", "--force", id]) { [self] _ in
                    abandon(RPCStatus(.unknown, "the supervisor is gone"), responder)
                }
            case .success(let pid):
                didMake(pid: pid, .created(pid: pid))
                responder.reply(PidResponse(pid: UInt32(pid)).encoded())
            case .failure(let status): abandon(status, responder)
            }
        }
    }

    private func prepare() throws(RPCStatus) {
        do throws(SysError) {
            try RootFilesystem.mount(rootfs, at: root)
        } catch {
            throw RPCStatus(.unknown, "failed to mount rootfs component: " + error.description)
        }
        try io.open(owner: ioOwner)
    }

    /// Has the runtime make init by `command`, `create` or `restore`, with our streams; gives its pid. After a failure
    /// the runtime knows of no container.
    func makeInit(
        _ command: String, _ flags: [String] = [], _ done: @escaping (Result<Int32, RPCStatus>) -> Void
    ) {
        var console: ConsoleSocket?
        var arguments = [command, "--bundle", bundle.string, "--pid-file", paths.pidFile.string] + flags
        if io.names.terminal {
            guard let socket = try? context.makeConsoleSocket() else {
                return done(.failure(RPCStatus(.unknown, "cannot make a console socket")))
            }
            console = socket
            arguments += ["--console-socket", socket.path.string]
        }
        if runtime.settings.noPivotRoot { arguments.append("--no-pivot") }
        if runtime.settings.noNewKeyring { arguments.append("--no-new-keyring") }
        context.reaper.beginExpecting()
        runtime.run(arguments + [id], io: io) { [self, console] result in
            finish(command, result, console, done)
            context.reaper.endExpecting()
        }
    }

    private func finish(
        _ command: String, _ result: RuntimeResult, _ console: ConsoleSocket?,
        _ done: @escaping (Result<Int32, RPCStatus>) -> Void
    ) {
        let master = console?.take()
        let what = "OCI runtime " + command + " failed: "
        if let failure = result.failure { return done(.failure(RPCStatus(.unknown, what + failure))) }
        do throws(SysError) {
            if io.names.terminal {
                guard let master else { throw SysError("receive console", id, .noData) }
                try io.connect(terminal: master)
            }
            guard let pid = paths.readPid() else { throw SysError("read pid", paths.pidFile.string, .noData) }
            io.begin()
            done(.success(pid))
        } catch {
            let status = RPCStatus(.unknown, what + error.description)
            runtime.run(["delete", "--force", id]) { _ in done(.failure(status)) }
        }
    }

    private func abandon(_ status: RPCStatus, _ responder: Responder) {
        report(.createFailed)
        io.close { [self] in
            _ = try? RootFilesystem.unmount(root)
            responder.fail(status)
            onGone?()
        }
    }

    // MARK: Start, pause, resume, kill

    func start(_ responder: Responder) {
        queue.add { [self] done in
            guard let actions = request(.start, responder) else { return done() }
            io.processWillStart()
            if actions.contains(.runtimeRestore) { return restore(responder, done) }
            runtime.run(["start", id]) { [self] result in
                if let failure = result.failure {
                    report(.startFailed)
                    responder.fail(RPCStatus(.unknown, "OCI runtime start failed: " + failure))
                } else {
                    report(.started)
                    responder.reply(PidResponse(pid: UInt32(pid)).encoded())
                }
                done()
            }
        }
    }

    func pause(_ responder: Responder) { change(.pause, by: "pause", then: .paused, responder) }

    func resume(_ responder: Responder) { change(.resume, by: "resume", then: .resumed, responder) }

    private func change(
        _ event: TaskState.Event, by command: String, then success: TaskState.Event, _ responder: Responder
    ) {
        queue.add { [self] done in
            guard request(event, responder) != nil else { return done() }
            runtime.run([command, id]) { [self] result in
                if let failure = result.failure {
                    responder.fail(RPCStatus(.unknown, "OCI runtime \(command) failed: " + failure))
                } else {
                    report(success)
                    responder.reply()
                }
                done()
            }
        }
    }

    /// Signals init at once, without the runtime where that is possible: a start that hangs can be killed.
    func kill(signal: Int32, all: Bool, _ responder: Responder) {
        guard let actions = request(.kill(signal: signal, all: all), responder) else { return }
        for action in actions {
            switch action {
            case .signal(let pid, let signal): signalInit(pid, signal, responder)
            case .runtimeKill(let signal, let all):
                runtime.run(["kill"] + (all ? ["--all"] : []) + [id, String(signal)]) { result in
                    guard let failure = result.failure else { return responder.reply() }
                    responder.fail(killFailure(failure))
                }
            default:
                perform(action)
                responder.reply()
            }
        }
    }

    private func signalInit(_ pid: Int32, _ signal: Int32, _ responder: Responder) {
        do throws(SysError) {
            try sendSignal(signal, to: pid)
            responder.reply()
        } catch {
            responder.fail(
                error.errno == .noSuchProcess
                    ? RPCStatus(.notFound, "process already finished") : RPCStatus(.unknown, error.description))
        }
    }

    // MARK: Pids, update

    func listPids(_ responder: Responder) {
        runtime.run(["ps", "--format", "json", id]) { [self] result in
            if let failure = result.failure {
                return responder.fail(RPCStatus(.unknown, "OCI runtime ps failed: " + failure))
            }
            guard case .array(let values)? = try? JSONValue(parsing: result.output) else {
                return responder.fail(RPCStatus(.unknown, "OCI runtime ps failed: its output is no JSON array"))
            }
            let processes = values.compactMap { value in
                value.int.flatMap { UInt32(exactly: $0) }.map { pid in
                    PidsResponse.Process(pid: pid, execID: execs.first { $0.pid == Int32(bitPattern: pid) }?.id)
                }
            }
            responder.reply(PidsResponse(processes: processes).encoded())
        }
    }

    func update(_ resources: [UInt8], _ responder: Responder) {
        queue.add { [self] done in
            let file = bundle / "resources.json"
            do throws(SysError) {
                try writeFile(file, resources)
            } catch {
                responder.fail(RPCStatus(error))
                return done()
            }
            runtime.run(["update", "--resources", file.string, id]) { result in
                _ = try? removeFile(file)
                if let failure = result.failure {
                    responder.fail(RPCStatus(.unknown, "OCI runtime update failed: " + failure))
                } else {
                    responder.reply()
                }
                done()
            }
        }
    }

    // MARK: Delete

    func delete(_ responder: Responder) {
        queue.add { [self] done in
            guard let actions = request(.delete, responder) else { return done() }
            for action in actions {
                switch action {
                case .runtimeDelete: return remove(responder, done)
                case .deleteOnceStopped: deleteOnceStopped(responder)
                default: perform(action)
                }
            }
            done()
        }
    }

    /// The teardown goes on after a failed step, and the first failure is the answer.
    private func remove(_ responder: Responder, isRepeated: Bool = false, _ done: @escaping () -> Void) {
        guard case .stopped(let pid, let exit) = state.phase else { return done() }
        runtime.run(isRepeated ? ["delete", "--force", id] : ["delete", id]) { [self] result in
            if let failure = result.failure, !contains(failure, "does not exist") {
                if !isRepeated { return remove(responder, isRepeated: true, done) }  // it may have died half-way
                responder.fail(RPCStatus(.unknown, "OCI runtime delete failed: " + failure))
                return done()
            }
            io.close { [self] in
                finishRemove(responder, DeleteResponse(pid: UInt32(pid), exit: exit))
                done()
            }
        }
    }

    private func finishRemove(_ responder: Responder, _ response: DeleteResponse) {
        for exec in execs { exec.abandon() }
        execs = []
        do throws(SysError) {
            try RootFilesystem.unmount(root)
            report(.deleted)
            responder.reply(response.encoded())
            onGone?()
        } catch {
            responder.fail(RPCStatus(.unknown, "failed to cleanup rootfs mount: " + error.description))
        }
    }
}

/// Runtimes have several words for a process that is gone; containerd's clients know one.
private func killFailure(_ text: String) -> RPCStatus {
    if contains(text, "process already finished") || contains(text, "container not running")
        || contains(text, "no such process")
    {
        return RPCStatus(.notFound, "process already finished")
    }
    if contains(text, "does not exist") { return RPCStatus(.notFound, "no such container") }
    return RPCStatus(.unknown, "OCI runtime kill failed: " + text)
}

/// Whether `part` occurs in `text`, byte for byte.
private func contains(_ text: String, _ part: String) -> Bool {
    var rest = Array(text.utf8)[...]
    let wanted = Array(part.utf8)
    while rest.count >= wanted.count {
        if rest.starts(with: wanted) { return true }
        rest = rest.dropFirst()
    }
    return false
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem
import ShimAPI
import TTRPC

/// The service containerd.task.v2.Task for one container; containerd.task.v3.Task has the same methods and messages.
final class TaskService {
    private let context: ShimContext
    private var task: ContainerTask?
    /// Called when a client asks for the end and nothing is left to care for.
    var onShutdown: (() -> Void)?
    /// Called when the container is deleted.
    var onIdle: (() -> Void)?

    init(context: ShimContext) { self.context = context }

    var isIdle: Bool { task == nil }

    /// Answers one request, now or later.
    func handle(_ request: RPCRequest, _ responder: Responder) {
        guard request.service == "containerd.task.v2.Task" || request.service == "containerd.task.v3.Task" else {
            return responder.fail(RPCStatus(.unimplemented, "service \(request.service)"))
        }
        do throws(RPCStatus) {
            try dispatch(request.method, request.payload, responder)
        } catch {
            responder.fail(error)
        }
    }

    private func dispatch(_ method: String, _ payload: [UInt8], _ responder: Responder) throws(RPCStatus) {
        switch method {
        case "Create": try create(decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        case "Exec": try exec(decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        case "Kill": try kill(decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        case "ResizePty": try resize(decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        case "CloseIO": try closeIO(decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        case "Update": try update(decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        case "Start", "State", "Wait", "Delete":
            try onProcess(method, decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        case "Pids", "Pause", "Resume", "Stats", "Connect", "Shutdown":
            try onTask(method, decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        case "Checkpoint":
            try checkpoint(decode { () throws(ProtobufError) in try .init(decoding: payload) }, responder)
        default: throw RPCStatus(.unimplemented, "method \(method)")
        }
    }

    // MARK: Requests on init or an exec

    private func onProcess(
        _ method: String, _ request: ProcessRequest, _ responder: Responder
    ) throws(RPCStatus) {
        let task = try find(request.id)
        guard request.execID.utf8.isEmpty else {
            let exec = try task.exec(request.execID)
            switch method {
            case "Start": exec.start(responder)
            case "State": responder.reply(exec.describe().encoded())
            case "Wait": exec.wait(responder)
            default: exec.delete(responder)
            }
            return
        }
        switch method {
        case "Start": task.start(responder)
        case "State": responder.reply(task.describe().encoded())
        case "Wait": task.wait(responder)
        default: task.delete(responder)
        }
    }

    private func kill(_ request: KillRequest, _ responder: Responder) throws(RPCStatus) {
        let task = try find(request.id)
        let signal = Int32(truncatingIfNeeded: request.signal)
        guard request.execID.utf8.isEmpty else {
            return try task.exec(request.execID).kill(signal: signal, responder)
        }
        task.kill(signal: signal, all: request.all, responder)
    }

    private func resize(_ request: ResizePtyRequest, _ responder: Responder) throws(RPCStatus) {
        let io = try streams(request.id, request.execID)
        do throws(SysError) {
            try io.resize(columns: UInt16(clamping: request.width), rows: UInt16(clamping: request.height))
        } catch {
            throw RPCStatus(error)
        }
        responder.reply()
    }

    private func closeIO(_ request: CloseIORequest, _ responder: Responder) throws(RPCStatus) {
        let io = try streams(request.id, request.execID)
        if request.stdin { io.closeStdin() }
        responder.reply()
    }

    private func streams(_ id: String, _ execID: String) throws(RPCStatus) -> ProcessIO {
        let task = try find(id)
        return execID.utf8.isEmpty ? task.io : try task.exec(execID).io
    }

    // MARK: Requests on the task

    private func create(_ request: CreateTaskRequest, _ responder: Responder) throws(RPCStatus) {
        try ProcessPaths.checkID(request.id)
        guard task == nil else { throw RPCStatus(.alreadyExists, "task \(request.id) already exists") }
        var options = RuntimeOptions()
        if let given = request.options, given.messageName == RuntimeOptions.messageName {
            options = try decode { () throws(ProtobufError) in try RuntimeOptions(decoding: given.value) }
        }
        do throws(SysError) {
            let created = try ContainerTask(request, options: options, context: context)
            task = created
            created.onGone = { [self] in
                task = nil
                onIdle?()
            }
            created.create(responder)
        } catch {
            throw RPCStatus(error)
        }
    }

    private func exec(_ request: ExecProcessRequest, _ responder: Responder) throws(RPCStatus) {
        let task = try find(request.id)
        guard !task.execs.contains(where: { $0.id == request.execID }) else {
            throw RPCStatus(.alreadyExists, "id \(request.execID) already exists")
        }
        task.execs.append(try ExecProcess(request, task: task))
        context.events.publish(.execAdded(id: task.id, execID: request.execID))
        responder.reply()
    }

    private func update(_ request: UpdateTaskRequest, _ responder: Responder) throws(RPCStatus) {
        let task = try find(request.id)
        guard let resources = request.resources else { throw RPCStatus(.invalidArgument, "update without resources") }
        task.update(resources.value, responder)
    }

    private func checkpoint(_ request: CheckpointTaskRequest, _ responder: Responder) throws(RPCStatus) {
        let task = try find(request.id)
        guard !request.path.utf8.isEmpty else { throw RPCStatus(.invalidArgument, "checkpoint without a path") }
        var options = CheckpointOptions()
        if let given = request.options, given.messageName == CheckpointOptions.messageName {
            options = try decode { () throws(ProtobufError) in try CheckpointOptions(decoding: given.value) }
        }
        task.checkpoint(request.path, options, responder)
    }

    private func onTask(_ method: String, _ request: TaskRequest, _ responder: Responder) throws(RPCStatus) {
        switch method {
        case "Pids": try find(request.id).listPids(responder)
        case "Pause": try find(request.id).pause(responder)
        case "Resume": try find(request.id).resume(responder)
        case "Stats": try find(request.id).statistics(responder)
        case "Connect":
            let pid = UInt32(task?.pid ?? 0)
            responder.reply(ConnectResponse(shimPid: UInt32(getpid()), taskPid: pid, version: "v2").encoded())
        default:
            responder.reply()
            if isIdle { onShutdown?() }
        }
    }

    private func find(_ id: String) throws(RPCStatus) -> ContainerTask {
        guard let task, task.id == id, task.state.phase != .creating else {
            throw RPCStatus(.notFound, "container not created")
        }
        return task
    }
}

/// Decodes a message, or says which request is malformed.
private func decode<Message>(_ make: () throws(ProtobufError) -> Message) throws(RPCStatus) -> Message {
    do throws(ProtobufError) { return try make() } catch {
        throw RPCStatus(.invalidArgument, "malformed request: " + error.description)
    }
}

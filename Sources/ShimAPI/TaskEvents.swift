// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
import TTRPC

/// What happened to a task, as containerd.events has it. The exec id of init is the container's id.
package enum TaskEvent: Sendable, Equatable {
    /// `pid` is 0 for a task that its start makes of `checkpoint`.
    case create(id: String, bundle: String, rootfs: [Mount], stdio: StdioNames, checkpoint: String, pid: UInt32)
    case start(id: String, pid: UInt32)
    case exit(id: String, processID: String, pid: UInt32, ExitStatus)
    case delete(id: String, processID: String, pid: UInt32, ExitStatus)
    case execAdded(id: String, execID: String)
    case execStarted(id: String, execID: String, pid: UInt32)
    case paused(id: String)
    case resumed(id: String)
    case oom(id: String)
    case checkpointed(id: String, path: String)

    /// The topic under which the event is published.
    package var topic: String {
        switch self {
        case .create: "/tasks/create"
        case .start: "/tasks/start"
        case .exit: "/tasks/exit"
        case .delete: "/tasks/delete"
        case .execAdded: "/tasks/exec-added"
        case .execStarted: "/tasks/exec-started"
        case .paused: "/tasks/paused"
        case .resumed: "/tasks/resumed"
        case .oom: "/tasks/oom"
        case .checkpointed: "/tasks/checkpointed"
        }
    }

    private var messageName: String {
        switch self {
        case .create: "containerd.events.TaskCreate"
        case .start: "containerd.events.TaskStart"
        case .exit: "containerd.events.TaskExit"
        case .delete: "containerd.events.TaskDelete"
        case .execAdded: "containerd.events.TaskExecAdded"
        case .execStarted: "containerd.events.TaskExecStarted"
        case .paused: "containerd.events.TaskPaused"
        case .resumed: "containerd.events.TaskResumed"
        case .oom: "containerd.events.TaskOOM"
        case .checkpointed: "containerd.events.TaskCheckpointed"
        }
    }

    /// The event as an Any.
    package var message: AnyMessage {
        var writer = ProtobufWriter()
        encode(into: &writer)
        return AnyMessage(typeURL: messageName, value: writer.bytes)
    }

    private func encode(into writer: inout ProtobufWriter) {
        switch self {
        case .create(let id, let bundle, let rootfs, let stdio, let checkpoint, let pid):
            writer.string(1, id)
            writer.string(2, bundle)
            for mount in rootfs { writer.message(3) { mount.encode(into: &$0) } }
            writer.message(4) { encode(stdio, into: &$0) }
            writer.string(5, checkpoint)
            writer.uint32(6, pid)
        case .start(let id, let pid):
            writer.string(1, id)
            writer.uint32(2, pid)
        case .exit(let id, let processID, let pid, let exit):
            writer.string(1, id)
            writer.string(2, processID)
            writer.uint32(3, pid)
            writer.uint32(4, exit.code)
            writer.timestamp(5, exit.exitedAt)
        case .delete(let id, let processID, let pid, let exit):
            writer.string(1, id)
            writer.uint32(2, pid)
            writer.uint32(3, exit.code)
            writer.timestamp(4, exit.exitedAt)
            writer.string(5, processID)
        case .execAdded(let id, let execID):
            writer.string(1, id)
            writer.string(2, execID)
        case .execStarted(let id, let execID, let pid):
            writer.string(1, id)
            writer.string(2, execID)
            writer.uint32(3, pid)
        case .checkpointed(let id, let path):
            writer.string(1, id)
            writer.string(2, path)
        case .paused(let id), .resumed(let id), .oom(let id):
            writer.string(1, id)
        }
    }

    private func encode(_ stdio: StdioNames, into writer: inout ProtobufWriter) {
        writer.string(1, stdio.stdin)
        writer.string(2, stdio.stdout)
        writer.string(3, stdio.stderr)
        writer.bool(4, stdio.terminal)
    }
}

/// containerd.services.events.ttrpc.v1.ForwardRequest: one event on its way to the supervisor.
package struct ForwardRequest: Sendable, Equatable {
    package static let service = "containerd.services.events.ttrpc.v1.Events"
    package static let method = "Forward"

    package var time: Timestamp
    package var namespace: String
    package var event: TaskEvent

    package init(time: Timestamp, namespace: String, event: TaskEvent) {
        self.time = time
        self.namespace = namespace
        self.event = event
    }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(1) { envelope in
            envelope.timestamp(1, time)
            envelope.string(2, namespace)
            envelope.string(3, event.topic)
            envelope.message(4) { event.message.encode(into: &$0) }
        }
        return writer.bytes
    }
}

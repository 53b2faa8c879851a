// SPDX-License-Identifier: Apache-2.0
// The answers of containerd.task.v2.Task; those without a field are google.protobuf.Empty, zero bytes.
package import LinuxSystem
import TTRPC

/// containerd.v1.types.Status
package enum TaskStatus: UInt32, Sendable, Equatable {
    case unknown = 0
    case created = 1
    case running = 2
    case stopped = 3
    case paused = 4
    case pausing = 5
}

/// How and when a process ended.
package struct ExitStatus: Sendable, Equatable {
    /// The exit code, or 128 + the signal that ended it.
    package var code: UInt32
    package var exitedAt: Timestamp

    package init(code: UInt32, exitedAt: Timestamp) {
        self.code = code
        self.exitedAt = exitedAt
    }
}

package struct StateResponse: Sendable, Equatable {
    package var id = ""
    package var bundle = ""
    package var pid: UInt32 = 0
    package var status = TaskStatus.unknown
    package var stdio = StdioNames()
    package var exit: ExitStatus?
    package var execID = ""

    package init() {}

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.string(1, id)
        writer.string(2, bundle)
        writer.uint32(3, pid)
        writer.uint32(4, status.rawValue)
        writer.string(5, stdio.stdin)
        writer.string(6, stdio.stdout)
        writer.string(7, stdio.stderr)
        writer.bool(8, stdio.terminal)
        writer.uint32(9, exit?.code ?? 0)
        writer.timestamp(10, exit?.exitedAt)
        writer.string(11, execID)
        return writer.bytes
    }
}

/// The answer to Create and Start.
package struct PidResponse: Sendable, Equatable {
    package var pid: UInt32

    package init(pid: UInt32) { self.pid = pid }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.uint32(1, pid)
        return writer.bytes
    }
}

package struct DeleteResponse: Sendable, Equatable {
    package var pid: UInt32
    package var exit: ExitStatus

    package init(pid: UInt32, exit: ExitStatus) {
        self.pid = pid
        self.exit = exit
    }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.uint32(1, pid)
        writer.uint32(2, exit.code)
        writer.timestamp(3, exit.exitedAt)
        return writer.bytes
    }
}

package struct WaitResponse: Sendable, Equatable {
    package var exit: ExitStatus

    package init(exit: ExitStatus) { self.exit = exit }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.uint32(1, exit.code)
        writer.timestamp(2, exit.exitedAt)
        return writer.bytes
    }
}

package struct PidsResponse: Sendable, Equatable {
    package struct Process: Sendable, Equatable {
        package var pid: UInt32
        /// Set for the first process of an exec.
        package var execID: String?

        package init(pid: UInt32, execID: String? = nil) {
            self.pid = pid
            self.execID = execID
        }
    }

    package var processes: [Process]

    package init(processes: [Process]) { self.processes = processes }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        for process in processes {
            writer.message(1) { message in
                message.uint32(1, process.pid)
                guard let execID = process.execID else { return }
                var details = ProtobufWriter()
                details.string(1, execID)
                let info = AnyMessage(typeURL: "containerd.runc.v1.ProcessDetails", value: details.bytes)
                message.message(2) { info.encode(into: &$0) }
            }
        }
        return writer.bytes
    }
}

package struct ConnectResponse: Sendable, Equatable {
    package var shimPid: UInt32
    package var taskPid: UInt32
    package var version: String

    package init(shimPid: UInt32, taskPid: UInt32, version: String) {
        self.shimPid = shimPid
        self.taskPid = taskPid
        self.version = version
    }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.uint32(1, shimPid)
        writer.uint32(2, taskPid)
        writer.string(3, version)
        return writer.bytes
    }
}

package struct StatsResponse: Sendable, Equatable {
    package var stats: AnyMessage

    package init(stats: AnyMessage) { self.stats = stats }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(1) { stats.encode(into: &$0) }
        return writer.bytes
    }
}

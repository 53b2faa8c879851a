// SPDX-License-Identifier: Apache-2.0
package import ContainerdAPI
package import LinuxSystem
package import SwiftProtobuf

private let service = "containerd.services.tasks.v1.Tasks"

/// How a process ended.
package struct TaskExit: Sendable, Equatable {
    package var pid: UInt32
    /// 128 + signal if a signal ended it.
    package var status: UInt32
    package var at: Timestamp
}

/// Where a process's standard streams go: what the shim understands (FIFO paths, `json-file://`, `attach:`).
package struct TaskStdio: Sendable, Equatable {
    package var stdin = ""
    package var stdout = ""
    package var stderr = ""
    package var terminal = false

    package init(stdin: String = "", stdout: String = "", stderr: String = "", terminal: Bool = false) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.terminal = terminal
    }
}

/// Running containers. An empty `exec` means the container's first process.
extension SupervisorConnection {
    package func createTask(
        _ id: String, rootfs: [MountMessage], stdio: TaskStdio, options: Google_Protobuf_Any? = nil
    ) async throws -> UInt32 {
        let request = Containerd_Services_Tasks_V1_CreateTaskRequest.with {
            $0.containerID = id
            $0.rootfs = rootfs
            ($0.stdin, $0.stdout, $0.stderr, $0.terminal) = (stdio.stdin, stdio.stdout, stdio.stderr, stdio.terminal)
            if let options { $0.options = options }
        }
        let answer: Containerd_Services_Tasks_V1_CreateTaskResponse = try await call(service, "Create", request)
        return answer.pid
    }

    package func startTask(_ id: String, exec: String = "") async throws -> UInt32 {
        let request = Containerd_Services_Tasks_V1_StartRequest.with { ($0.containerID, $0.execID) = (id, exec) }
        let answer: Containerd_Services_Tasks_V1_StartResponse = try await call(service, "Start", request)
        return answer.pid
    }

    /// Adds a process to a running container; `startTask(_:exec:)` starts it.
    ///
    /// - Parameter process: the `process` object of a runtime spec, as JSON.
    package func addExec(_ id: String, exec: String, process: [UInt8], stdio: TaskStdio) async throws {
        let request = Containerd_Services_Tasks_V1_ExecProcessRequest.with {
            ($0.containerID, $0.execID) = (id, exec)
            ($0.stdin, $0.stdout, $0.stderr, $0.terminal) = (stdio.stdin, stdio.stdout, stdio.stderr, stdio.terminal)
            $0.spec = .runtimeSpec("Process", process)
        }
        let _: Google_Protobuf_Empty = try await call(service, "Exec", request)
    }

    package func killTask(_ id: String, exec: String = "", signal: UInt32, all: Bool = false) async throws {
        let request = Containerd_Services_Tasks_V1_KillRequest.with {
            ($0.containerID, $0.execID, $0.signal, $0.all) = (id, exec, signal, all)
        }
        let _: Google_Protobuf_Empty = try await call(service, "Kill", request)
    }

    /// Removes a stopped task and returns how it ended.
    package func deleteTask(_ id: String) async throws -> TaskExit {
        let request = Containerd_Services_Tasks_V1_DeleteTaskRequest.with { $0.containerID = id }
        let answer: Containerd_Services_Tasks_V1_DeleteResponse = try await call(service, "Delete", request)
        return TaskExit(pid: answer.pid, status: answer.exitStatus, at: Timestamp(answer.exitedAt))
    }

    package func deleteExec(_ id: String, exec: String) async throws -> TaskExit {
        let request = Containerd_Services_Tasks_V1_DeleteProcessRequest.with {
            ($0.containerID, $0.execID) = (id, exec)
        }
        let answer: Containerd_Services_Tasks_V1_DeleteResponse = try await call(service, "DeleteProcess", request)
        return TaskExit(pid: answer.pid, status: answer.exitStatus, at: Timestamp(answer.exitedAt))
    }

    /// Suspends until the process has ended, over restarts of the supervisor too.
    package func waitTask(_ id: String, exec: String = "") async throws -> TaskExit {
        let request = Containerd_Services_Tasks_V1_WaitRequest.with { ($0.containerID, $0.execID) = (id, exec) }
        let answer: Containerd_Services_Tasks_V1_WaitResponse = try await call(
            service, "Wait", request, isIdempotent: true)
        return TaskExit(pid: 0, status: answer.exitStatus, at: Timestamp(answer.exitedAt))
    }

    package func task(_ id: String, exec: String = "") async throws -> TaskProcess {
        let request = Containerd_Services_Tasks_V1_GetRequest.with { ($0.containerID, $0.execID) = (id, exec) }
        let answer: Containerd_Services_Tasks_V1_GetResponse = try await call(
            service, "Get", request, isIdempotent: true)
        return answer.process
    }

    package func tasks() async throws -> [TaskProcess] {
        let answer: Containerd_Services_Tasks_V1_ListTasksResponse = try await call(
            service, "List", Containerd_Services_Tasks_V1_ListTasksRequest(), isIdempotent: true)
        return answer.tasks
    }

    package func taskPIDs(_ id: String) async throws -> [UInt32] {
        let request = Containerd_Services_Tasks_V1_ListPidsRequest.with { $0.containerID = id }
        let answer: Containerd_Services_Tasks_V1_ListPidsResponse = try await call(
            service, "ListPids", request, isIdempotent: true)
        return answer.processes.map(\.pid)
    }

    package func pauseTask(_ id: String) async throws {
        let request = Containerd_Services_Tasks_V1_PauseTaskRequest.with { $0.containerID = id }
        let _: Google_Protobuf_Empty = try await call(service, "Pause", request)
    }

    package func resumeTask(_ id: String) async throws {
        let request = Containerd_Services_Tasks_V1_ResumeTaskRequest.with { $0.containerID = id }
        let _: Google_Protobuf_Empty = try await call(service, "Resume", request)
    }

    /// Saves a task to files in `directory`; with `exits` that is its end.
    package func checkpointTask(_ id: String, to directory: FilePath, exits: Bool) async throws {
        let options = Containerd_Runc_V1_CheckpointOptions.with {
            ($0.imagePath, $0.exit) = (directory.string, exits)
        }
        let request = try Containerd_Services_Tasks_V1_CheckpointTaskRequest.with {
            $0.containerID = id
            $0.options = try Google_Protobuf_Any(packing: options)
        }
        let _: Containerd_Services_Tasks_V1_CheckpointTaskResponse = try await call(service, "Checkpoint", request)
    }

    package func resizeTask(_ id: String, exec: String = "", width: UInt32, height: UInt32) async throws {
        let request = Containerd_Services_Tasks_V1_ResizePtyRequest.with {
            ($0.containerID, $0.execID, $0.width, $0.height) = (id, exec, width, height)
        }
        let _: Google_Protobuf_Empty = try await call(service, "ResizePty", request)
    }

    /// Closes the process's standard input.
    package func closeTaskInput(_ id: String, exec: String = "") async throws {
        let request = Containerd_Services_Tasks_V1_CloseIORequest.with {
            ($0.containerID, $0.execID, $0.stdin) = (id, exec, true)
        }
        let _: Google_Protobuf_Empty = try await call(service, "CloseIO", request)
    }

    /// - Parameter resources: the `linux.resources` object of a runtime spec, as JSON.
    package func updateTask(_ id: String, resources: [UInt8]) async throws {
        let request = Containerd_Services_Tasks_V1_UpdateTaskRequest.with {
            $0.containerID = id
            $0.resources = .runtimeSpec("LinuxResources", resources)
        }
        let _: Google_Protobuf_Empty = try await call(service, "Update", request)
    }

    /// The control group's figures: one metric for each container asked for.
    package func taskMetrics(_ ids: [String]) async throws -> [Containerd_Types_Metric] {
        let request = Containerd_Services_Tasks_V1_MetricsRequest.with { $0.filters = ids.map { "id==" + $0 } }
        let answer: Containerd_Services_Tasks_V1_MetricsResponse = try await call(
            service, "Metrics", request, isIdempotent: true)
        return answer.metrics
    }
}

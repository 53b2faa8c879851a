// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import SwiftProtobuf

private typealias Empty = Google_Protobuf_Empty

// The Tasks service: decode, call, encode.
extension TaskService {
    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.tasks.v1.Tasks"
        table.unary(service, "Create", create)
        table.unary(service, "Start", start)
        table.unary(service, "Delete", delete)
        table.unary(service, "DeleteProcess", deleteProcess)
        table.unary(service, "Get", get)
        table.unary(service, "List", list)
        table.unary(service, "Kill", kill)
        table.unary(service, "Exec", exec)
        table.unary(service, "ResizePty", resize)
        table.unary(service, "CloseIO", closeIO)
        table.unary(service, "Pause", pause)
        table.unary(service, "Resume", resume)
        table.unary(service, "ListPids", listPids)
        table.unary(service, "Checkpoint", checkpoint)
        table.unary(service, "Update", update)
        table.unary(service, "Metrics", metrics)
        table.unary(service, "Wait", wait)
    }

    private func key(_ context: RPCContext, _ id: String) throws -> TaskKey {
        TaskKey(namespace: try context.namespace(), id: id)
    }

    private func create(
        _ request: Containerd_Services_Tasks_V1_CreateTaskRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_CreateTaskResponse {
        let pid = try await create(try context.namespace(), request)
        return .with {
            $0.containerID = request.containerID
            $0.pid = pid
        }
    }

    private func start(
        _ request: Containerd_Services_Tasks_V1_StartRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_StartResponse {
        let call = Containerd_Task_V2_StartRequest.with {
            $0.id = request.containerID
            $0.execID = request.execID
        }
        let shim = try shim(try key(context, request.containerID))
        let response: Containerd_Task_V2_StartResponse = try await shim.call("Start", call)
        return .with { $0.pid = response.pid }
    }

    private func delete(
        _ request: Containerd_Services_Tasks_V1_DeleteTaskRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_DeleteResponse {
        let deleted = try await delete(try key(context, request.containerID))
        return .with {
            $0.id = request.containerID
            $0.pid = deleted.pid
            $0.exitStatus = deleted.exitStatus
            $0.exitedAt = deleted.exitedAt
        }
    }

    private func deleteProcess(
        _ request: Containerd_Services_Tasks_V1_DeleteProcessRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_DeleteResponse {
        guard !request.execID.isEmpty else { throw ServiceError(.invalidArgument, "exec id must not be empty") }
        let call = Containerd_Task_V2_DeleteRequest.with {
            $0.id = request.containerID
            $0.execID = request.execID
        }
        let shim = try shim(try key(context, request.containerID))
        let deleted: Containerd_Task_V2_DeleteResponse = try await shim.call("Delete", call)
        return .with {
            $0.id = request.execID
            $0.pid = deleted.pid
            $0.exitStatus = deleted.exitStatus
            $0.exitedAt = deleted.exitedAt
        }
    }

    private func get(
        _ request: Containerd_Services_Tasks_V1_GetRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_GetResponse {
        let found = try await process(try key(context, request.containerID), execID: request.execID)
        return .with { $0.process = found }
    }

    private func list(
        _ request: Containerd_Services_Tasks_V1_ListTasksRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_ListTasksResponse {
        let filter = try FilterSet([request.filter])
        let all = await processes(try context.namespace())
        return .with { $0.tasks = all.filter { task in filter.matches { $0 == ["id"] ? task.id : nil } } }
    }

    private func kill(
        _ request: Containerd_Services_Tasks_V1_KillRequest, _ context: RPCContext
    ) async throws -> Empty {
        let call = Containerd_Task_V2_KillRequest.with {
            $0.id = request.containerID
            $0.execID = request.execID
            $0.signal = request.signal
            $0.all = request.all
        }
        return try await kill(try key(context, request.containerID), call)
    }

    private func exec(
        _ request: Containerd_Services_Tasks_V1_ExecProcessRequest, _ context: RPCContext
    ) async throws -> Empty {
        try Identifier.validate(request.execID, what: "exec id")
        let call = Containerd_Task_V2_ExecProcessRequest.with {
            $0.id = request.containerID
            $0.execID = request.execID
            $0.terminal = request.terminal
            $0.stdin = request.stdin
            $0.stdout = request.stdout
            $0.stderr = request.stderr
            $0.spec = request.spec
        }
        return try await shim(try key(context, request.containerID)).call("Exec", call)
    }

    private func resize(
        _ request: Containerd_Services_Tasks_V1_ResizePtyRequest, _ context: RPCContext
    ) async throws -> Empty {
        let call = Containerd_Task_V2_ResizePtyRequest.with {
            $0.id = request.containerID
            $0.execID = request.execID
            $0.width = request.width
            $0.height = request.height
        }
        return try await shim(try key(context, request.containerID)).call("ResizePty", call)
    }

    private func closeIO(
        _ request: Containerd_Services_Tasks_V1_CloseIORequest, _ context: RPCContext
    ) async throws -> Empty {
        let call = Containerd_Task_V2_CloseIORequest.with {
            $0.id = request.containerID
            $0.execID = request.execID
            $0.stdin = request.stdin
        }
        return try await shim(try key(context, request.containerID)).call("CloseIO", call)
    }

    private func pause(
        _ request: Containerd_Services_Tasks_V1_PauseTaskRequest, _ context: RPCContext
    ) async throws -> Empty {
        let call = Containerd_Task_V2_PauseRequest.with { $0.id = request.containerID }
        return try await shim(try key(context, request.containerID)).call("Pause", call)
    }

    private func resume(
        _ request: Containerd_Services_Tasks_V1_ResumeTaskRequest, _ context: RPCContext
    ) async throws -> Empty {
        let call = Containerd_Task_V2_ResumeRequest.with { $0.id = request.containerID }
        return try await shim(try key(context, request.containerID)).call("Resume", call)
    }

    private func listPids(
        _ request: Containerd_Services_Tasks_V1_ListPidsRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_ListPidsResponse {
        let call = Containerd_Task_V2_PidsRequest.with { $0.id = request.containerID }
        let shim = try shim(try key(context, request.containerID))
        let response: Containerd_Task_V2_PidsResponse = try await shim.call("Pids", call)
        return .with { $0.processes = response.processes }
    }

    private func checkpoint(
        _ request: Containerd_Services_Tasks_V1_CheckpointTaskRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_CheckpointTaskResponse {
        let made = try await checkpoint(try key(context, request.containerID), options: request.options, context)
        return .with { $0.descriptors = made.map(\.message) }
    }

    private func update(
        _ request: Containerd_Services_Tasks_V1_UpdateTaskRequest, _ context: RPCContext
    ) async throws -> Empty {
        let call = Containerd_Task_V2_UpdateTaskRequest.with {
            $0.id = request.containerID
            $0.resources = request.resources
            $0.annotations = request.annotations
        }
        return try await shim(try key(context, request.containerID)).call("Update", call)
    }

    private func wait(
        _ request: Containerd_Services_Tasks_V1_WaitRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_WaitResponse {
        let exit = try await wait(try key(context, request.containerID), execID: request.execID)
        return .with {
            $0.exitStatus = exit.status
            $0.exitedAt = exit.exitedAt
        }
    }

    /// Figures of every matching task; one that cannot give any (it has just ended) is left out.
    private func metrics(
        _ request: Containerd_Services_Tasks_V1_MetricsRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Tasks_V1_MetricsResponse {
        let filters = try FilterSet(request.filters)
        var found: [Containerd_Types_Metric] = []
        for (key, entry) in tasks.all(try context.namespace()) where filters.matches({ $0 == ["id"] ? key.id : nil }) {
            guard case .running(let shim) = entry else { continue }
            let call = Containerd_Task_V2_StatsRequest.with { $0.id = key.id }
            guard
                let answer = try? await shim.call(
                    "Stats", call, timeout: .seconds(5), returning: Containerd_Task_V2_StatsResponse.self)
            else { continue }
            found.append(
                .with {
                    $0.timestamp = .now
                    $0.id = key.id
                    $0.data = answer.stats
                })
        }
        return .with { $0.metrics = found }
    }
}

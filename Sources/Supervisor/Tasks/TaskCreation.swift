// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import LinuxSystem
import Logging
import SwiftProtobuf
import Threads

private typealias CreateRequest = Containerd_Services_Tasks_V1_CreateTaskRequest
private typealias CreateResponse = Containerd_Services_Tasks_V1_CreateTaskResponse

extension TaskService {
    /// Writes the bundle, starts the shim and has it create the task. Nothing is left behind when a step fails.
    func create(
        _ namespace: String, _ request: Containerd_Services_Tasks_V1_CreateTaskRequest
    ) async throws -> UInt32 {
        let container = try containers.container(namespace, request.containerID)
        let key = TaskKey(namespace: namespace, id: container.id)
        try tasks.reserve(key)
        do {
            let bundle = Bundle(key, shims: shims)
            let runtime = request.runtimePath.isEmpty ? container.runtime.name : request.runtimePath
            let path = try program.path(runtime: runtime)
            let options = try runtimeOptions(request, container)
            let shim = try await start(bundle, path, spec: container.spec.bytes, options)
            do {
                let checkpoint = try await checkpointPath(request, options, bundle)
                return try await create(shim, request, options, checkpoint)
            } catch {
                await discard(shim, path)
                throw error
            }
        } catch {
            tasks.set(key, nil)
            throw error
        }
    }

    private func start(
        _ bundle: Bundle, _ path: FilePath, spec: [UInt8], _ options: Google_Protobuf_Any
    ) async throws -> ShimConnection {
        try await pool.run { [self] in
            if tasksHaveNoUseFor(bundle) { try? bundle.remove() }
            try bundle.create(spec: spec, runtime: path)
            do {
                if path.lastComponent != "swrun-shim" {
                    try makeDirectory(bundle.work, mode: 0o711)
                    try ShimLog.open(bundle, log: log)
                }
                let socket = try program.start(bundle, program: path, options: options)
                try bundle.writeAddress(socket)
                return try ShimConnection.connect(bundle, socket: socket)
            } catch {
                _ = try? program.delete(bundle, program: path)
                try? bundle.remove()
                throw error
            }
        }
    }

    /// A bundle that exists though the id was free is what a crash left between two steps.
    private func tasksHaveNoUseFor(_ bundle: Bundle) -> Bool { exists(bundle.path) }

    private func create(
        _ shim: ShimConnection, _ request: Containerd_Services_Tasks_V1_CreateTaskRequest,
        _ options: Google_Protobuf_Any, _ checkpoint: String
    ) async throws -> UInt32 {
        let call = Containerd_Task_V2_CreateTaskRequest.with {
            $0.id = shim.bundle.key.id
            $0.bundle = shim.bundle.path.string
            $0.rootfs = request.rootfs
            $0.terminal = request.terminal
            $0.stdin = request.stdin
            $0.stdout = request.stdout
            $0.stderr = request.stderr
            $0.checkpoint = checkpoint
            $0.options = options
        }
        let response: Containerd_Task_V2_CreateTaskResponse = try await shim.call("Create", call)
        tasks.set(shim.bundle.key, .running(shim))
        watch(shim)
        return response.pid
    }

    /// Gets rid of a shim whose task could not be created.
    private func discard(_ shim: ShimConnection, _ path: FilePath) async {
        await shutDown(shim)
        _ = try? await pool.run { [program] in
            _ = try? program.delete(shim.bundle, program: path)
            try shim.bundle.remove()
        }
    }

    /// Ends a shim whose task is deleted. One that is killed meanwhile leaves its socket.
    func shutDown(_ shim: ShimConnection) async {
        let request = Containerd_Task_V2_ShutdownRequest.with { $0.id = shim.bundle.key.id }
        _ = try? await shim.call("Shutdown", request, timeout: .seconds(3), returning: Google_Protobuf_Empty.self)
        shim.close()
        if let socket = shim.bundle.address() { _ = try? removeFile(socket) }
    }

    /// The request's options, or the container's, or none; with the runtime's state in our own directory unless they
    /// say otherwise, so that two stacks on one machine never meet.
    private func runtimeOptions(
        _ request: Containerd_Services_Tasks_V1_CreateTaskRequest, _ container: ContainerMessage
    ) throws -> Google_Protobuf_Any {
        let given = request.hasOptions ? request.options : container.runtime.options
        guard given.typeURL.isEmpty || given.holds(Containerd_Runc_V1_Options.self) else { return given }
        var options = try given.unpacked(as: Containerd_Runc_V1_Options.self) ?? Containerd_Runc_V1_Options()
        if options.root.isEmpty { options.root = runtimeRoot.string }
        return try Google_Protobuf_Any(packing: options)
    }
}

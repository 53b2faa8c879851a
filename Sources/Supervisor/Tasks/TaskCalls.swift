// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import Logging
import SwiftProtobuf
import TTRPC
import Threads

private typealias Process = TaskProcess

// What clients ask of an existing task.
extension TaskService {
    /// The state of init or of an exec, as its shim sees it.
    func process(_ key: TaskKey, execID: String) async throws -> TaskProcess {
        if case .lost(_, let exit) = tasks[key], execID.isEmpty { return lostProcess(key, exit) }
        return try await process(try shim(key), execID: execID)
    }

    /// - Parameter timeout: how long the shim has to answer. One that has just died is waited for until its container is
    ///   cleaned up, and then the recorded exit is the answer.
    private func process(
        _ shim: ShimConnection, execID: String = "", timeout: Duration? = nil
    ) async throws -> TaskProcess {
        let key = shim.bundle.key
        do {
            let state = try await shim.state(execID: execID, timeout: timeout)
            return .with {
                $0.containerID = key.id
                $0.id = execID.isEmpty ? key.id : execID
                ($0.pid, $0.status) = (state.pid, state.status)
                ($0.stdin, $0.stdout, $0.stderr) = (state.stdin, state.stdout, state.stderr)
                $0.terminal = state.terminal
                $0.exitStatus = state.exitStatus
                $0.exitedAt = state.exitedAt
            }
        } catch let failure as RPCFailure where failure.code == .unavailable && execID.isEmpty {
            return lostProcess(key, try await exitAfterLoss(of: shim))
        }
    }

    private func lostProcess(_ key: TaskKey, _ exit: TaskExit) -> TaskProcess {
        .with {
            $0.containerID = key.id
            $0.id = key.id
            $0.pid = exit.pid
            $0.status = .stopped
            $0.exitStatus = exit.status
            $0.exitedAt = Google_Protobuf_Timestamp(exit.exitedAt)
        }
    }

    /// All tasks of a namespace; one whose shim does not answer in time is left out rather than holding up the rest.
    func processes(_ namespace: String) async -> [TaskProcess] {
        await withTaskGroup(of: TaskProcess?.self) { group in
            for (key, entry) in tasks.all(namespace) {
                group.addTask { await self.listed(key, entry) }
            }
            var found: [TaskProcess] = []
            for await process in group { if let process { found.append(process) } }
            return found.sorted { $0.id < $1.id }
        }
    }

    private func listed(_ key: TaskKey, _ entry: TaskTable.Entry) async -> TaskProcess? {
        switch entry {
        case .creating: return nil
        case .lost(_, let exit): return lostProcess(key, exit)
        case .running(let shim): return try? await process(shim, timeout: .seconds(5))
        }
    }

    /// How a process ended. If the shim is lost meanwhile, what is recorded of init's exit is the answer.
    func wait(_ key: TaskKey, execID: String) async throws -> (status: UInt32, exitedAt: Google_Protobuf_Timestamp) {
        if case .lost(_, let exit) = tasks[key], execID.isEmpty {
            return (exit.status, Google_Protobuf_Timestamp(exit.exitedAt))
        }
        let shim = try shim(key)
        do {
            let exit = try await shim.wait(execID: execID)
            return (exit.exitStatus, exit.exitedAt)
        } catch let failure as RPCFailure where failure.code == .unavailable {
            let exit = try await exitAfterLoss(of: shim)
            return (execID.isEmpty ? exit.status : 137, Google_Protobuf_Timestamp(exit.exitedAt))
        }
    }

    /// Signals init or an exec. If the shim is lost meanwhile, so is the process.
    func kill(_ key: TaskKey, _ request: Containerd_Task_V2_KillRequest) async throws -> Google_Protobuf_Empty {
        let shim = try shim(key)
        do { return try await shim.call("Kill", request) } catch let failure as RPCFailure
            where failure.code == .unavailable
        {
            _ = try await exitAfterLoss(of: shim)
            throw ServiceError(.notFound, "task \(key.id): process already finished, its shim was lost")
        }
    }

    /// Waits until the clean-up after a lost shim is done.
    private func exitAfterLoss(of shim: ShimConnection) async throws -> TaskExit {
        for _ in 0..<600 {
            switch tasks[shim.bundle.key] {
            case .lost(_, let exit): return exit
            case .running(let current) where current === shim: try await Task.sleep(for: .milliseconds(50))
            default: throw ServiceError(.notFound, "task \(shim.bundle.key.id): deleted")
            }
        }
        throw ServiceError(.unavailable, "task \(shim.bundle.key.id): its shim was lost")
    }

    /// Deletes a stopped task and everything that belongs to it but the container's record and snapshot.
    func delete(_ key: TaskKey) async throws -> Containerd_Task_V2_DeleteResponse {
        // Ends with the task's removal, whether or not its client waits for it: half a deletion would leave the id taken.
        try await Task { [self] in try await deleteWholly(key) }.value
    }

    private func deleteWholly(_ key: TaskKey) async throws -> Containerd_Task_V2_DeleteResponse {
        if case .lost(let bundle, let exit) = tasks[key] {
            try await pool.run { try bundle.remove() }
            tasks.set(key, nil)
            return .with {
                $0.pid = exit.pid
                $0.exitStatus = exit.status
                $0.exitedAt = Google_Protobuf_Timestamp(exit.exitedAt)
            }
        }
        let shim = try shim(key)
        let request = Containerd_Task_V2_DeleteRequest.with { $0.id = key.id }
        let response: Containerd_Task_V2_DeleteResponse
        do { response = try await shim.call("Delete", request) } catch let failure as RPCFailure
            where failure.code == .unavailable
        {
            _ = try await exitAfterLoss(of: shim)
            return try await deleteWholly(key)
        }
        guard tasks.replace(shim, with: .creating) else { return response }  // the id stays taken until all is gone
        await shutDown(shim)
        do { try await pool.run { try shim.bundle.remove() } } catch {
            log.warning("bundle not removed", metadata: ["task": "\(key)", "error": "\(error)"])
        }
        tasks.set(key, nil)
        return response
    }
}

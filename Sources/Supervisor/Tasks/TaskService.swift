// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import ContainerdAPI
package import LinuxSystem
package import Logging
import SwiftProtobuf
import TTRPC
package import Threads

/// Makes tasks from container records and passes everything else on to their shims.
///
/// The shim owns the task's state; the supervisor keeps no copy, except the exit of a task whose shim is lost.
///
///     client ──Create──▶ TaskService ──bundle, `start`──▶ shim program ──prints its socket
///                              └──────ttrpc Create/Start/Wait/…──▶ shim (daemonised, outlives us)
package final class TaskService: Sendable {
    let containers: ContainerService
    let namespaces: NamespaceService
    let events: EventService
    let pool: BlockingPool
    let checkpoints: CheckpointContent
    let shims: FilePath
    let runtimeRoot: FilePath
    let program: ShimProgram
    let tasks = TaskTable()
    let log: Logger

    /// - Parameters:
    ///   - state: the state directory; bundles are in `shims/` below it, the OCI runtime's own state in `runc/`.
    ///   - address: the socket that shims are told is ours.
    package init(
        state: FilePath, address: FilePath, containers: ContainerService, namespaces: NamespaceService,
        events: EventService, checkpoints: CheckpointContent, pool: BlockingPool, log: Logger
    ) throws {
        self.containers = containers
        self.namespaces = namespaces
        self.events = events
        self.checkpoints = checkpoints
        self.pool = pool
        self.log = log
        shims = state / "shims"
        runtimeRoot = state / "runc"
        program = ShimProgram(
            supervisorAddress: address, programs: try programDirectory(), isDebug: log.logLevel <= .debug)
        try makeDirectories(shims, mode: 0o711)
        events.observe { [weak self] event in self?.note(event) }
    }

    /// The connection to a task's shim; a lost or unknown task has none.
    func shim(_ key: TaskKey) throws(ServiceError) -> ShimConnection {
        switch tasks[key] {
        case .running(let shim): return shim
        case .lost: throw ServiceError(.notFound, "task \(key.id): process already finished, its shim was lost")
        case .creating, nil: throw ServiceError(.notFound, "task \(key.id): not found")
        }
    }

    /// Keeps exits that shims tell of in their bundles: if the shim is lost later, its answer is not.
    private func note(_ event: EventEnvelope) {
        guard event.topic == "/tasks/exit",
            let exit = try? event.event.unpacked(as: Containerd_Events_TaskExit.self),
            exit.id == exit.containerID
        else { return }
        let key = TaskKey(namespace: event.namespace, id: exit.containerID)
        guard case .running(let shim) = tasks[key], shim.bundle.exit() == nil else { return }
        let record = TaskExit(
            pid: exit.pid, status: exit.exitStatus,
            exitedAt: Timestamp(nanoseconds: exit.exitedAt.unixNanoseconds))
        do throws(SysError) { try shim.bundle.writeExit(record) } catch {
            log.warning("exit not recorded", metadata: ["task": "\(key)", "error": "\(error)"])
        }
    }
}

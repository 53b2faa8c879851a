// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import LinuxSystem
import Logging
import SwiftProtobuf
import Threads

// What happens when a shim dies, and when we come back after our own death.
extension TaskService {
    /// Has the task cleaned up when the connection to its shim ends without a delete.
    func watch(_ shim: ShimConnection) {
        shim.onClose { [weak self] in
            // Ends by itself: the shim's program is killed if it takes too long.
            Task { await self?.handleLoss(of: shim) }
        }
    }

    /// Kills what the dead shim left and keeps the exit for whoever asks.
    private func handleLoss(of shim: ShimConnection) async {
        let key = shim.bundle.key
        guard case .running(let current) = tasks[key], current === shim else { return }  // deleted meanwhile
        log.warning("shim lost", metadata: ["task": "\(key)"])
        let (exit, isNew) = await cleanUp(shim.bundle)
        guard tasks.replace(shim, with: .lost(shim.bundle, exit)), isNew else { return }
        publishExit(key, exit)
    }

    /// Runs the shim's `delete`, which kills the container. An exit that was known before stays the exit.
    private func cleanUp(_ bundle: Bundle) async -> (exit: TaskExit, isNew: Bool) {
        let known = bundle.exit()
        let program = program
        var pid = known?.pid ?? 0
        do {
            let response = try await pool.run { try program.delete(bundle, program: try bundle.runtime()) }
            pid = response.pid
        } catch {
            log.error("cannot clean up after shim", metadata: ["task": "\(bundle.key)", "error": "\(error)"])
        }
        if let known { return (known, false) }
        let exit = TaskExit.killed(pid: pid)
        do throws(SysError) { try bundle.writeExit(exit) } catch {
            log.warning("exit not recorded", metadata: ["task": "\(bundle.key)", "error": "\(error)"])
        }
        return (exit, true)
    }

    func publishExit(_ key: TaskKey, _ exit: TaskExit) {
        events.publish(
            key.namespace, topic: "/tasks/exit",
            Containerd_Events_TaskExit.with {
                $0.containerID = key.id
                $0.id = key.id
                $0.pid = exit.pid
                $0.exitStatus = exit.status
                $0.exitedAt = Google_Protobuf_Timestamp(exit.exitedAt)
            })
    }

    /// Finds the shims of an earlier life of ours again. To be called before anything is served.
    package func recover() async {
        let bundles = (try? Bundle.all(shims: shims)) ?? []
        await withDiscardingTaskGroup { group in
            for bundle in bundles { group.addTask { await self.recover(bundle) } }
        }
    }

    private func recover(_ bundle: Bundle) async {
        let key = bundle.key
        do { _ = try containers.container(key.namespace, key.id) } catch let error as ServiceError
            where error.kind == .notFound
        {
            log.warning("removing task without a container", metadata: ["task": "\(key)"])
            return await discard(bundle)
        } catch {
            log.error("cannot read container", metadata: ["task": "\(key)", "error": "\(error)"])
        }
        guard let socket = bundle.address() else {
            log.warning("removing half-made task", metadata: ["task": "\(key)"])
            return await discard(bundle)
        }
        if let shim = try? ShimConnection.connect(bundle, socket: socket) {
            if let state = try? await shim.state(timeout: .seconds(10)) { return adopt(shim, state) }
            await shutDown(shim)  // it was never told what to run, or hangs
        }
        let (exit, isNew) = await cleanUp(bundle)
        tasks.set(key, .lost(bundle, exit))
        if isNew { publishExit(key, exit) }
    }

    /// Kills and deletes the shim's task, without which it would not shut down; each step may have nothing to do.
    private func end(_ shim: ShimConnection) async {
        let id = shim.bundle.key.id
        let kill = Containerd_Task_V2_KillRequest.with { ($0.id, $0.signal, $0.all) = (id, 9, true) }
        let wait = Containerd_Task_V2_WaitRequest.with { $0.id = id }
        let delete = Containerd_Task_V2_DeleteRequest.with { $0.id = id }
        let limit = Duration.seconds(5)
        if (try? await shim.call("Kill", kill, timeout: limit, returning: Google_Protobuf_Empty.self)) != nil {
            _ = try? await shim.call("Wait", wait, timeout: limit, returning: ShimConnection.Exit.self)
        }
        _ = try? await shim.call(
            "Delete", delete, timeout: limit, returning: Containerd_Task_V2_DeleteResponse.self)
        await shutDown(shim)
    }

    private func adopt(_ shim: ShimConnection, _ state: Containerd_Task_V2_StateResponse) {
        tasks.set(shim.bundle.key, .running(shim))
        watch(shim)
        if exists(shim.bundle.log) { try? ShimLog.open(shim.bundle, log: log) }
        log.info("task found again", metadata: ["task": "\(shim.bundle.key)", "pid": "\(state.pid)"])
        guard state.status == .stopped, shim.bundle.exit() == nil else { return }
        let exit = TaskExit(
            pid: state.pid, status: state.exitStatus,
            exitedAt: Timestamp(nanoseconds: state.exitedAt.unixNanoseconds))
        try? shim.bundle.writeExit(exit)
        publishExit(shim.bundle.key, exit)  // it happened while nobody listened
    }

    /// Ends the task and its shim. If we died before we noted the shim's socket, `start` tells it again: a shim that
    /// serves already is not started twice.
    private func discard(_ bundle: Bundle) async {
        let program = program
        let socket = try? await pool.run {
            try bundle.address() ?? program.start(bundle, program: try bundle.runtime(), options: nil)
        }
        if let socket, let shim = try? ShimConnection.connect(bundle, socket: socket) {
            await end(shim)
        }
        do {
            try await pool.run {
                _ = try? program.delete(bundle, program: try bundle.runtime())
                try bundle.remove()
            }
        } catch {
            log.error("cannot remove bundle", metadata: ["task": "\(bundle.key)", "error": "\(error)"])
        }
    }
}

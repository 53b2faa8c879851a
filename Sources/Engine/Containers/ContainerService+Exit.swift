// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Logging
import Networking
import Synchronization
import Threads

// What happens when a container's process ends.
extension ContainerService {
    /// Waits for the end of the process in the background.
    func watchExit(_ container: Container) {
        // Owned by the container's life: ends with its process, or with the daemon.
        Task { [self] in
            let exit: (code: Int32, at: Timestamp)
            do {
                let answer = try await supervisor.waitTask(container.id)
                exit = (Int32(truncatingIfNeeded: answer.status), answer.at)
            } catch let error as EngineError where error.kind == .unavailable || error.kind == .cancelled {
                try? await Task.sleep(for: .milliseconds(200))
                return watchExit(container)
            } catch {
                // The supervisor knows nothing of the task: how it ended is lost.
                log(container.record).warning("exit status lost", metadata: ["error": "\(error)"])
                exit = (255, .now)
            }
            handleExit(container, code: exit.code, at: exit.at)
        }
    }

    /// State, event and waiters at once; the clean-up is queued. A start or a removal that gets into the queue before
    /// it does the clean-up itself.
    func handleExit(_ container: Container, code: Int32, at: Timestamp) {
        let oomKilled = wasOutOfMemory(container, code)
        guard let record = try? container.onExit(code: code, at: at, oomKilled: oomKilled) else { return }
        endHealthChecks(container)
        save(container)
        let duration = max(0, at.nanoseconds - (record.state.lastStart ?? at).nanoseconds)
        // Owned by the container's queue.
        container.operations.enqueue { [self] in
            await cleanUpEndedRun(container)
            if container.state.isRestarting, !isShuttingDown.load(ordering: .relaxed) {
                planRestart(container, afterRunOf: duration)
            }
        }
        if record.hostConfig.autoRemove, !container.isBeingRestarted {
            removeInQueue(container, removingVolumes: true)
        }
        publishDisuse(record)
        if container.takeStop() { publish("stop", record) }
        publish("die", record, [("exitCode", String(code)), ("execDuration", String(duration / 1_000_000_000))])
        container.finish([.notRunning, .nextExit], WaitResult(exitCode: code))
    }

    /// Suspends until what an ended run used is given back: who has been told of its end may take its ports or its names at
    /// once. Not for ever, as an operation before the clean-up may hang.
    package func awaitCleanUp(_ container: Container) async {
        let (cleaned, end) = AsyncStream.makeStream(of: Never.self)
        container.operations.enqueue { [self] in
            await cleanUpEndedRun(container)
            end.finish()
        }
        await outcome(within: .seconds(10)) { for await _ in cleaned {} }
    }

    /// Waits until what ended runs have used is given back.
    package func finishCleanUps() async {
        let ended = registry.all.filter { !$0.state.isRunning && !$0.record.network.networks.isEmpty }
        for container in ended { await awaitCleanUp(container) }
    }

    /// Cleans up after the last run, unless somebody has.
    func cleanUpEndedRun(_ container: Container) async {
        if container.takeEndedRun() { await cleanUpAfterRun(container) }
    }

    /// Gives back what a run has used: task, execs, network, sockets. Everything may be gone already.
    func cleanUpAfterRun(_ container: Container) async {
        let id = container.id
        do { _ = try await supervisor.deleteTask(id) } catch let error as EngineError {
            if error.kind != .notFound {
                log(container.record).warning("task not removed", metadata: ["error": "\(error)"])
            }
        } catch {}
        forgetExecs(of: id, all: false)
        await networks.detach(container: id)
        await volumes.unmount(container: id)
        removeRunDirectory(id)
        container.update { $0.network = NetworkView() }
    }

    // MARK: Restart policy

    /// Waits and starts again. `nanoseconds` is how long the run took that has ended, 0 if the start failed.
    func planRestart(_ container: Container, afterRunOf nanoseconds: Int64) {
        let pause = container.nextRestartPause(afterRunOf: nanoseconds)
        // Owned by the container, which cancels it when the user starts, stops or removes it.
        container.setRestart(
            Task { [self] in
                try await Task.sleep(for: pause)
                try await container.operations.run { [self] in await startAgain(container) }
            })
    }

    /// A start by the restart policy, in the container's queue; one that fails is tried again.
    private func startAgain(_ container: Container) async {
        guard container.state.isRestarting, !container.record.stoppedByUser else { return }
        do { try await start(container, byUser: false) } catch {
            log(container.record).warning("restart failed", metadata: ["error": "\(error)"])
            guard container.record.wantsRestart(after: 1),
                (try? container.on(.restartPlanned) { $0.restartCount += 1 }) != nil
            else { return }
            save(container)
            planRestart(container, afterRunOf: 0)
        }
    }

    // MARK: Out of memory

    /// The supervisor's event, which may come before or after the exit; in the latter case the exit has told it.
    func handleOOM(_ id: String) {
        guard let container = try? find(id), let record = try? container.on(.outOfMemory) else { return }
        save(container)
        publish("oom", record)
    }

    /// Whether the kernel killed for want of memory: told by the supervisor, or by the control group, which exists
    /// until the clean-up. It is only asked when something was killed at all.
    private func wasOutOfMemory(_ container: Container, _ code: Int32) -> Bool {
        if container.state.oomKilled { return true }
        guard code == 137 else { return false }
        let group = cgroup(container.record)
        let files = ["/sys/fs/cgroup/memory\(group)/memory.oom_control", "/sys/fs/cgroup\(group)/memory.events"]
        let lines = files.compactMap { try? readText(FilePath($0)) }.flatMap { $0.split(separator: "\n") }
        guard lines.contains(where: { $0.hasPrefix("oom_kill ") && $0 != "oom_kill 0" }) else { return false }
        publish("oom", container.record)
        return true
    }

    private func cgroup(_ record: ContainerRecord) -> String {
        let own = record.hostConfig.text("CgroupParent")
        let parent = own.isEmpty ? configuration.cgroupParent : own
        return CgroupPlace(parent: parent, id: record.id, usesSystemd: configuration.usesSystemdCgroups).path
    }
}

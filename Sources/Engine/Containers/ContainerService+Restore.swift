// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import LinuxSystem
import Logging
import Networking
import SwiftProtobuf

// After a start of the daemon: the records say what was, the supervisor says what is.
extension ContainerService {
    /// Loads the records and makes them agree with the tasks that the supervisor has. Called once, before requests.
    package func restore() async throws {
        let (records, unreadable) = try store.load()
        for id in unreadable { logger.error("unreadable container record", metadata: ["container": "\(id)"]) }
        var containers: [Container] = []
        for record in records {
            let container = Container(record)
            // A name that is being removed is free already.
            if !record.state.isRemoving { try? registry.reserve(record.name, for: record.id) }
            registry.add(container)
            containers.append(container)
        }
        var tasks = try await supervisor.tasks()
        tasks += await unlisted(containers, tasks)
        await reconcile(records, running: Set(tasks.filter { $0.status != .stopped }.map { $0.id }))
        for container in containers {
            await repair(container, tasks.first { $0.id == container.id })
            if !container.state.isRunning, !container.state.isRemoving { tendLog(container) }
        }
        if !configuration.liveRestore { await endLeftovers() }
        await removeStrays(known: Set(records.map { $0.id } + unreadable), tasks)
    }

    /// The tasks of containers that ran when the last daemon ended and that the supervisor's list lacks: it leaves out
    /// what does not answer at once. Only one that it does not know at all is gone.
    private func unlisted(_ containers: [Container], _ listed: [TaskProcess]) async -> [TaskProcess] {
        var found: [TaskProcess] = []
        for container in containers
        where container.state.isRunning && !listed.contains(where: { $0.id == container.id }) {
            do { found.append(try await supervisor.task(container.id)) } catch let error as EngineError {
                if error.kind == .notFound { continue }
                log(container.record).warning("task does not answer", metadata: ["error": "\(error)"])
                found.append(
                    .with { ($0.id, $0.pid, $0.status) = (container.id, UInt32(container.state.pid), .unknown) })
            } catch {}
        }
        return found
    }

    private func reconcile(_ records: [ContainerRecord], running: Set<String>) async {
        do { try await networks.reconcile(running: running) } catch {
            logger.warning("networks not repaired after the start", metadata: ["error": "\(error)"])
        }
        do { try await volumes.reconcile(containers: Set(records.map { $0.id }), running: running) } catch {
            logger.warning("volumes not repaired after the start", metadata: ["error": "\(error)"])
        }
    }

    private func repair(_ container: Container, _ task: TaskProcess?) async {
        let record = container.record
        switch record.state.phase {
        case .running, .paused: repairRunning(container, task)
        case .removing:
            // Owned by the container's queue.
            container.operations.enqueue { [self] in
                await cleanUpAfterRun(container)
                try await finishRemoval(container, record)
            }
        case .created, .exited, .restarting, .dead:
            if task != nil { await adoptOrEnd(container, task) } else { resumePolicy(container) }
        }
    }

    /// The daemon was away: the process may still run, have ended, or have gone without a trace (a reboot).
    private func repairRunning(_ container: Container, _ task: TaskProcess?) {
        guard let task else { return handleExit(container, code: 255, at: .now) }
        switch task.status {
        case .paused: if (try? container.on(.paused)) != nil { save(container) }
        case .running: if (try? container.on(.resumed)) != nil { save(container) }
        default: break
        }
        container.update { $0.health?.restart() }  // docker knows nothing of it yet, either
        watchExit(container)  // tells at once if it has ended
        if !container.state.isPaused { beginHealthChecks(container) }
        tendLog(container)
    }

    /// A start that the old daemon did not live to record: what runs is running.
    private func adoptOrEnd(_ container: Container, _ task: TaskProcess?) async {
        guard let task, task.status == .running || task.status == .paused else {
            // Made but never started, or ended: the client never got an answer.
            try? await supervisor.killTask(container.id, signal: 9)
            await cleanUpAfterRun(container)
            if container.record.hostConfig.autoRemove {
                removeInQueue(container, removingVolumes: true)
                return
            }
            return resumePolicy(container)
        }
        let run = ContainerState.Run(pid: Int32(task.pid), startedAt: .now)
        if (try? container.on(.started(run), { $0.hasBeenStarted = true })) != nil { save(container) }
        watchExit(container)
        if task.status == .running { beginHealthChecks(container) }
        tendLog(container)
    }

    /// What is meant to run always, or until the user stops it, is started; a restart that was planned goes on; `--rm`
    /// is made good.
    func resumePolicy(_ container: Container) {
        let record = container.record
        if record.hostConfig.autoRemove, record.state.lastExit != nil {
            removeInQueue(container, removingVolumes: true)
            return
        }
        let wasPlanned = record.state.isRestarting
        let policy = record.hostConfig.restartPolicy.name
        let isMeantToRun = policy == "always" || (policy == "unless-stopped" && !record.stoppedByUser)
        guard wasPlanned || (isMeantToRun && record.state.lastExit != nil) else { return }
        // Owned by the container's queue.
        container.operations.enqueue { [self] in try await start(container, byUser: !wasPlanned) }
    }

    /// What a creation or removal that was cut short left in the supervisor and on disk.
    private func removeStrays(known: Set<String>, _ tasks: [TaskProcess]) async {
        for message in (try? await supervisor.containers()) ?? [] where !known.contains(message.id) {
            guard message.labels["io.swrun.container.name"] != nil else { continue }  // somebody else's
            if tasks.contains(where: { $0.id == message.id }) {
                try? await supervisor.killTask(message.id, signal: 9)
                _ = try? await supervisor.waitTask(message.id)
                _ = try? await supervisor.deleteTask(message.id)
            }
            try? await supervisor.deleteContainer(message.id)
            try? await supervisor.removeSnapshot(message.id)
        }
        func isStray(_ id: String) -> Bool { !known.contains(id) && id.utf8.count == 64 }  // another name is not ours
        for key in (try? await supervisor.uncommittedSnapshots()) ?? []
        where isStray(ImageMountKey.container(of: key) ?? key) { try? await supervisor.removeSnapshot(key) }
        let directories = (try? listDirectory(configuration.containersDirectory)) ?? []
        for id in directories where isStray(id) { try? removeTree(directory(id)) }
    }

    /// Follows the supervisor's events for ever; returns when the task is cancelled.
    package func followEvents() async {
        let handle: @Sendable (EventEnvelope) async -> Void = { [self] event in
            guard event.topic == "/tasks/oom" else { return }
            let oom = try? Containerd_Events_TaskOOM(serializedBytes: event.event.bytes)
            if let oom { handleOOM(oom.containerID) }
        }
        await supervisor.watchEvents(onConnect: {}, handle)
    }

    package func counts() -> ContainerCounts {
        var counts = ContainerCounts()
        for container in registry.all {
            let state = container.state
            if state.isPaused {
                counts.paused += 1
            } else if state.isRunning {
                counts.running += 1
            } else {
                counts.stopped += 1
            }
        }
        return counts
    }

    /// The containers that were made from an image.
    package func users(ofImage id: String) -> [ImageUser] {
        registry.all.map { $0.record }.filter { $0.uses(image: id) && !$0.state.isRemoving }.map {
            ImageUser(containerID: $0.id, isRunning: $0.state.isRunning)
        }
    }
}

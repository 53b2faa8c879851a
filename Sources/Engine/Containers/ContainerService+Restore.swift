// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import LinuxSystem
import Logging
import Networking
import SwiftProtobuf
import Threads

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
        var resumed: [Container] = []
        for container in containers {
            if await repair(container, tasks.first { $0.id == container.id }) { resumed.append(container) }
            if !container.state.isRunning, !container.state.isRemoving { tendLog(container) }
        }
        if !configuration.liveRestore { resumed += await endLeftovers() }
        await removeStrays(known: Set(records.map { $0.id } + unreadable), tasks)
        await resume(resumed)
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

    /// Whether the container is to be started again.
    private func repair(_ container: Container, _ task: TaskProcess?) async -> Bool {
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
            return task == nil ? isToResume(container) : await isEnded(container, task)
        }
        return false
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

    /// A start that the old daemon did not live to record: what runs is running. Whether it is to be started again.
    private func isEnded(_ container: Container, _ task: TaskProcess?) async -> Bool {
        guard let task, task.status == .running || task.status == .paused else {
            // Made but never started, or ended: the client never got an answer.
            try? await supervisor.killTask(container.id, signal: 9)
            await cleanUpAfterRun(container)
            if container.record.hostConfig.autoRemove {
                removeInQueue(container, removingVolumes: true)
                return false
            }
            return isToResume(container)
        }
        let run = ContainerState.Run(pid: Int32(task.pid), startedAt: .now)
        if (try? container.on(.started(run), { $0.hasBeenStarted = true })) != nil { save(container) }
        watchExit(container)
        if task.status == .running { beginHealthChecks(container) }
        tendLog(container)
        return false
    }

    /// What is meant to run always, or until the user stops it, is started; a restart that was planned goes on; `--rm`
    /// is made good.
    func isToResume(_ container: Container) -> Bool {
        let record = container.record
        if record.hostConfig.autoRemove, record.state.lastExit != nil {
            removeInQueue(container, removingVolumes: true)
            return false
        }
        let policy = record.hostConfig.restartPolicy.name
        let isMeantToRun = policy == "always" || (policy == "unless-stopped" && !record.stoppedByUser)
        return record.state.isRestarting || (isMeantToRun && record.state.lastExit != nil)
    }

    /// Starts containers, each after those that it links to, and waits for it as docker does; but not for ever, as one of
    /// them may hang.
    private func resume(_ resumed: [Container]) async {
        let (started, end) = AsyncStream.makeStream(of: Never.self)
        let tasks = resumed.map { container in
            // Owned by the container's queue.
            container.operations.enqueue { [self] in
                let wasPlanned = container.state.isRestarting
                await awaitLinked(container.record, among: resumed)
                try await start(container, byUser: !wasPlanned)
            }
        }
        // Owned by the starts that it waits for.
        Task {
            for task in tasks { _ = await task.result }
            end.finish()
        }
        await outcome(within: .seconds(10)) { for await _ in started {} }
    }

    /// Suspends until the containers that this one links to run, as far as they are about to be started.
    private func awaitLinked(_ record: ContainerRecord, among resumed: [Container]) async {
        guard record.networkMode == "bridge" else { return }
        let names = record.hostConfig.list("Links").map { ContainerLink($0).name }
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline,
            resumed.contains(where: { names.contains($0.id) && !$0.state.isRunning })
        {
            try? await Task.sleep(for: .milliseconds(20))
        }
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

// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import JSON
import LinuxSystem
import Logging
import Networking
import Threads

extension ContainerService {
    /// Removes a container; a running one only with `force`, which kills it.
    package func remove(_ reference: String, force: Bool, removingVolumes: Bool) async throws {
        let container = try find(reference)
        if container.state.isRemoving {
            throw EngineError.conflict("removal of container \(reference) is already in progress")
        }
        while true {
            if container.state.isRunning || container.state.isRestarting {
                guard force else { throw refusal(container) }
                try await killForRemoval(container)
            }
            do { return try await removeInQueue(container, removingVolumes: removingVolumes).value } catch {
                // A start was in the queue before us: now it runs, and is killed.
                guard force, container.state.isRunning else { throw error }
            }
        }
    }

    private func refusal(_ container: Container) -> EngineError {
        let name = "/" + container.record.name
        if container.state.isPaused {
            return .conflict(
                "cannot remove container \"\(name)\": container is paused and must be unpaused first")
        }
        if container.state.isRestarting {
            return .conflict(
                "cannot remove container \"\(name)\": container is restarting: stop the container before removing or "
                    + "force remove")
        }
        return .conflict(
            "cannot remove container \"\(name)\": container is running: stop the container before removing or force "
                + "remove")
    }

    private func killForRemoval(_ container: Container) async throws {
        container.update { $0.stoppedByUser = true }
        container.cancelRestart()
        guard container.state.isRunning else { return }
        do {
            try await kill(container.id, signal: "KILL")
        } catch let error as EngineError where error.kind == .conflict {
            return  // it has ended meanwhile
        }
        await container.waitForExit()
    }

    /// Queues the removal behind what the container still has to do.
    @discardableResult
    func removeInQueue(_ container: Container, removingVolumes: Bool) -> Task<Void, any Error> {
        container.operations.enqueue { [self] in
            if container.state.isRemoving { return }
            container.cancelRestart()
            let record: ContainerRecord
            do throws(ContainerState.IllegalTransition) {
                record = try container.on(.removalStarted) { $0.removesVolumes = removingVolumes }
            } catch {
                throw refusal(container)
            }
            await cleanUpEndedRun(container)
            try await finishRemoval(container, record)
        }
    }

    /// From the record that says `removing` to nothing. The record goes last: after a crash the next daemon ends the
    /// work. Whoever waits learns of it when all is gone, or of the failure.
    func finishRemoval(_ container: Container, _ record: ContainerRecord) async throws {
        save(container)
        container.dropPending()
        do {
            try await volumes.release(container: record.id, removingAnonymous: record.removesVolumes)
        } catch {
            log(record).warning("volumes not released", metadata: ["error": "\(error)"])
        }
        do {
            try await removeResources(container)
        } catch {
            if (try? container.on(.removalFailed)) != nil { save(container) }
            let failure = EngineError.internal(
                "container \(record.id): driver \"\(GraphDriver.name)\" failed to remove root filesystem: \(error)")
            container.finish(
                [.removed, .nextExit, .notRunning],
                WaitResult(exitCode: record.state.exitCode, message: failure.message))
            throw failure
        }
        forgetExecs(of: record.id, all: true)
        registry.remove(record.id)
        registry.release(name: record.name, of: record.id)
        publish("destroy", record)
        statistics.finish(record.id)
        container.finish([.removed, .nextExit, .notRunning], WaitResult(exitCode: record.state.exitCode))
    }

    private func removeResources(_ container: Container) async throws {
        let (id, files) = (container.id, directory(container.id))
        await logTasks.end(id, within: .seconds(2))
        async let areFilesGone: Void = pool.run { try removeTree(files) }  // a log may be large
        async let isForgotten: Void = ignoringMissing { try await supervisor.deleteContainer(id) }
        releaseStorage(container.record)
        try await ignoringMissing { try await supervisor.removeSnapshot(id) }
        try await isForgotten
        try await releaseImages(container.record)
        try await areFilesGone
        removeRunDirectory(id)
        try container.unstore { () throws in try store.delete(id) }
    }

    func ignoringMissing(_ body: () async throws -> Void) async throws {
        do { try await body() } catch let error as EngineError where error.kind == .notFound {}
    }

    /// Removes every container that does not run and passes the filters; returns their ids and the bytes freed.
    package func prune(filters: Filters) async throws -> (ids: [String], bytes: Int64) {
        try allow(filters, ["label", "label!", "until"])
        let until = try filters.untilTimes()
        var ids: [String] = []
        var bytes: Int64 = 0
        for container in registry.all {
            let record = container.record
            guard !record.state.isRunning, !record.state.isRestarting, !record.state.isRemoving,
                filters.matches(labels: record.config.labels), until.allSatisfy({ record.created < $0 })
            else { continue }
            let size = await writtenBytes(record)
            do {
                try await removeInQueue(container, removingVolumes: false).value
                ids.append(record.id)
                bytes = bytes.addingSaturating(size)
            } catch {
                log(record).warning("container not pruned", metadata: ["error": "\(error)"])
            }
        }
        events.publish(type: .container, action: "prune", id: "", attributes: [("reclaimed", String(bytes))])
        return (ids, bytes)
    }

    func allow(_ filters: Filters, _ keys: [String]) throws(EngineError) {
        do throws(FilterError) { try filters.allow(only: keys) } catch { throw .invalidArgument(error.message) }
    }
}

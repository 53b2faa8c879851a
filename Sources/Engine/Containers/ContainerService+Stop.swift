// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Logging
import Synchronization
import Threads

// Ending containers. None of this enters the container's queue: it must work while other operations wait.
extension ContainerService {
    /// Asks the process to end, and kills it if it has not after `timeout` seconds (-1: never).
    package func stop(_ reference: String, signal: String?, timeout: Int?) async throws {
        let container = try find(reference)
        let signal = try stopSignal(container, signal, to: "stop")
        if container.state.isRestarting {
            try await cancelRestart(container)
        } else if !container.state.isRunning {
            throw EngineError.notModified()
        }
        container.beginStop()
        if container.state.isRunning {
            try await stop(container, signal: signal, timeout: timeout)
            await awaitCleanUp(container)
        }
        if container.takeStop() { publish("stop", container.record) }
    }

    /// Calls off the start that the restart policy has planned. One that has begun goes on: afterwards the container runs.
    private func cancelRestart(_ container: Container) async throws {
        container.update { $0.stoppedByUser = true }
        container.cancelRestart()
        try await container.operations.run { [self] in
            if (try? container.on(.restartCancelled)) != nil { save(container) }
        }
        if container.state.isRunning { return }
        container.finish([.notRunning], WaitResult(exitCode: container.state.exitCode))
    }

    /// The number of the signal that was asked for, or the container's own; SIGTERM if an image names one that is none.
    ///
    /// - Parameter verb: what is to be done, for the refusal of a signal that is none.
    private func stopSignal(_ container: Container, _ given: String?, to verb: String) throws -> UInt32 {
        if let given, !given.isEmpty {
            do { return try SignalName.parse(given) } catch {
                throw EngineError(error.kind, "cannot \(verb) container: \(container.id): \(error.message)")
            }
        }
        return (try? SignalName.parse(container.record.stopSignal)) ?? 15
    }

    private func stop(_ container: Container, signal: UInt32, timeout: Int?) async throws {
        container.update { $0.stoppedByUser = true }
        save(container)
        try await end(container, signal: signal, timeout: timeout)
    }

    private func end(_ container: Container, signal: UInt32, timeout: Int?) async throws {
        let record = container.record
        let seconds = min(timeout ?? record.stopTimeout, Self.longestStop)
        await awaitInit(record)
        try await send(container, signal)
        if await ended(container, within: seconds < 0 ? nil : .seconds(seconds)) { return }
        try Task.checkCancellation()  // a daemon that ends kills nobody
        log(record).info("container did not end in time: killing it")
        try await send(container, 9)
        guard await ended(container, within: .seconds(10)) else {
            throw EngineError.internal(
                "cannot stop container: \(container.id): the process did not end after SIGKILL within 10 seconds")
        }
    }

    /// A process 1 that has no handler yet loses a signal, and ours of `--init` has one a moment after its start.
    private func awaitInit(_ record: ContainerRecord) async {
        guard record.hostConfig.useInit, configuration.initPath.isEmpty, let pid = record.state.run?.pid else { return }
        let deadline = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < deadline, blockedSignals(of: pid) == 0 {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Seconds; more than anybody waits, and less than what a clock can count.
    private static let longestStop = 10 * 365 * 86400

    /// A process that has ended meanwhile is fine.
    private func send(_ container: Container, _ signal: UInt32) async throws {
        do {
            try await supervisor.killTask(container.id, signal: signal)
        } catch let error as EngineError where error.kind == .notFound || error.kind == .failedPrecondition {
            return
        }
        publish("kill", container.record, [("signal", String(signal))])
        if container.state.isPaused {
            // Frozen processes see a signal when they run again.
            try? await supervisor.resumeTask(container.id)
        }
    }

    /// Whether the process has ended before the time is over; nil waits for ever.
    func ended(_ container: Container, within limit: Duration?) async -> Bool {
        await outcome(within: limit) {
            for await _ in container.wait(.notRunning) { return true }
            return false
        } ?? false
    }

    package func restart(_ reference: String, signal: String?, timeout: Int?) async throws {
        let container = try find(reference)
        if container.state.isRemoving {
            throw EngineError.conflict("container is marked for removal and cannot be started")
        }
        let signal = try stopSignal(container, signal, to: "restart")
        container.cancelRestart()
        container.beginRestart()
        defer { container.endRestart() }
        if container.state.isRunning { container.beginStop() }
        if container.state.isRunning { try await stop(container, signal: signal, timeout: timeout) }
        try await container.operations.run { [self] in
            do {
                try await start(container, byUser: true)
            } catch let error as EngineError where error.kind == .notModified {
                // Another client was faster.
            }
        }
        publish("restart", container.record)
    }

    package func kill(_ reference: String, signal: String?) async throws {
        let container = try find(reference)
        let number = try SignalName.parse(signal.flatMap { $0.isEmpty ? nil : $0 } ?? "KILL")
        guard container.state.isRunning else {
            throw EngineError.conflict("container \(container.id) is not running")
        }
        let isStop = (try? SignalName.parse(container.record.stopSignal)) == number
        if number == 9 || isStop {
            container.update { $0.stoppedByUser = true }
            save(container)
        }
        do {
            try await supervisor.killTask(container.id, signal: number)
        } catch let error as EngineError where error.kind == .notFound || error.kind == .failedPrecondition {
            throw EngineError.conflict("container \(container.id) is not running")
        }
        publish("kill", container.record, [("signal", String(number))])
        if number == 9 {
            if container.state.isPaused { try? await supervisor.resumeTask(container.id) }
            if await ended(container, within: .seconds(10)) { await awaitCleanUp(container) }
        }
    }

    // MARK: The daemon's stop

    /// Ends every container, each with its own signal and in its own time; what has a restart policy starts again with
    /// the daemon. Returns at the latest after the daemon's time for it, or the longest that a container has.
    package func shutDown() async {
        isShuttingDown.store(true, ordering: .relaxed)
        let running = registry.all.filter { $0.state.isRunning }
        let longest = running.map { $0.record.stopTimeout }
        let isUnlimited = configuration.shutdownTimeout < 0 || longest.contains { $0 < 0 }
        let seconds = max(configuration.shutdownTimeout, (longest.max() ?? 0) + Self.shutdownGrace)
        let limit = isUnlimited ? nil : Duration.seconds(min(seconds, Self.longestStop))
        if await outcome(within: limit, of: { [self] in await endAll(running) }) == nil {
            logger.warning("containers did not end in time: leaving them")
        }
    }

    /// Ends what a daemon that was killed has left running, where containers are to end with the daemon; tells which are to be
    /// started again.
    func endLeftovers() async -> [Container] {
        let running = registry.all.filter { $0.state.isRunning }
        isShuttingDown.store(true, ordering: .relaxed)  // meanwhile none is started again for having ended
        await endAll(running)
        isShuttingDown.store(false, ordering: .relaxed)
        return running.filter { isToResume($0) }
    }

    private static let shutdownGrace = 5

    private func endAll(_ containers: [Container]) async {
        await withDiscardingTaskGroup { group in
            for container in containers {
                group.addTask { [self] in
                    do {
                        try await end(container, signal: try stopSignal(container, nil, to: "stop"), timeout: nil)
                    } catch {
                        log(container.record).warning("container not stopped", metadata: ["error": "\(error)"])
                    }
                    // The exit's own clean-up may not be in the queue yet, and then never would be.
                    try? await container.operations.run { [self] in
                        save(container)
                        await cleanUpEndedRun(container)
                    }
                }
            }
        }
    }

    // MARK: Pause

    package func pause(_ reference: String) async throws {
        let container = try find(reference)
        try await container.operations.run { [self] in
            try checkRunning(container)
            if container.state.isPaused { throw EngineError.conflict("Container \(container.id) is already paused") }
            try await freeze(container)
        }
    }

    /// Pauses a running container; inside its queue of operations.
    func freeze(_ container: Container) async throws {
        try await supervisor.pauseTask(container.id)
        let record = try container.on(.paused)
        endHealthChecks(container)
        save(container)
        publish("pause", record)
    }

    /// Lets a paused container go on; inside its queue of operations.
    func thaw(_ container: Container) async throws {
        try await supervisor.resumeTask(container.id)
        let record = try container.on(.resumed)
        save(container)
        beginHealthChecks(container)
        publish("unpause", record)
    }

    package func unpause(_ reference: String) async throws {
        let container = try find(reference)
        try await container.operations.run { [self] in
            guard container.state.isPaused else {
                throw EngineError.conflict("Container \(container.id) is not paused")
            }
            try await thaw(container)
        }
    }
}

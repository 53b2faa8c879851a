// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import JSON
import LinuxSystem
import Networking
import SwiftProtobuf

extension ContainerService {
    /// Starts a container by name, or goes on from one of its checkpoints; `notModified` if it runs already.
    package func start(_ reference: String, checkpoint name: String? = nil) async throws {
        let container = try find(reference)
        try await container.operations.run { [self] in
            container.cancelRestart()
            let checkpoint = try name.map { try checkpointPath(container.record, reference, named: $0, in: nil) }
            try await start(container, byUser: true, checkpoint: checkpoint)
        }
    }

    /// One start, inside the container's queue.
    func start(_ container: Container, byUser: Bool, checkpoint: FilePath? = nil) async throws {
        let before = container.state
        if before.isPaused { throw EngineError.conflict("cannot start a paused container, try unpause instead") }
        if before.isRunning { throw EngineError.notModified() }
        if before.isRemoving || before.isDead {
            throw EngineError.conflict("container is marked for removal and cannot be started")
        }
        let runtime = container.record.hostConfig.text("Runtime")
        let entry = configuration.runtimes.first { $0.name == runtime }
        guard entry != nil || RuntimeEntry.isShimName(runtime) else {
            throw EngineError.invalidArgument("unknown or invalid runtime name: \(runtime)")
        }
        await cleanUpEndedRun(container)
        if byUser {
            container.forgetRestartPause()
            container.update {
                $0.stoppedByUser = false
                $0.restartCount = 0
            }
        }
        do {
            if let path = entry?.path, path.contains("/"), !exists(FilePath(path)) {
                throw EngineError.internal(
                    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
                        + "find runtime \(path): no such file or directory: unknown")
            }
            let options = try checkpoint.map { try RuntimeOptions.message(entry, configuration, checkpoint: $0) }
            let pid = try await launch(container, options)
            let run = ContainerState.Run(pid: Int32(pid), startedAt: .now)
            let record = try container.on(.started(run)) { record in
                record.hasBeenStarted = true
                guard HealthCheck(record.config) != nil else {
                    record.health = nil
                    return
                }
                record.health = record.health ?? Health()
                record.health?.restart()
            }
            save(container)
            beginHealthChecks(container)
            tendLog(container)
            publish("start", record)
            if record.networkMode == "bridge" { refreshLinks(to: record.id) }
            watchExit(container)
        } catch {
            let failure = StartFailure(EngineError(error))
            publishLeaving(container.record)
            await cleanUpAfterRun(container)
            recordFailedStart(container, failure)
            throw failure.error
        }
    }

    private func recordFailedStart(_ container: Container, _ failure: StartFailure) {
        container.dropPending()
        let record = try? container.on(
            .startFailed(code: failure.exitCode, message: failure.error.message, at: .now)
        ) { $0.network = NetworkView() }
        guard let record else { return }
        save(container)
        if record.hostConfig.autoRemove {
            // Behind this start in the queue; owned by the queue.
            removeInQueue(container, removingVolumes: true)
        }
    }

    /// From the record to a process that runs; returns its pid.
    ///
    /// - Parameter options: for the runtime, other than those that the container was created with.
    private func launch(_ container: Container, _ options: Google_Protobuf_Any?) async throws -> UInt32 {
        var record = container.record
        record.mounts = try await readyMounts(record)
        let draft = record
        async let attached = attachNetwork(draft)  // meanwhile we look the user up
        let user = try await resolveUser(draft)
        let attachment = try await attached
        record.network = try await connectOtherNetworks(record, attachment)
        container.update { $0.network = record.network }
        await publishUse(record)
        try makeSpreadDirectory(runDirectory(record.id).parent, mode: 0o700)
        try makeDirectory(runDirectory(record.id), mode: 0o700)
        record.mounts = try await stageMounts(record.mounts, of: record.id)
        let spec = try await makeSpec(record, attachment, user)
        try await supervisor.setContainerSpec(record.id, spec: spec.bytes())
        let rootfs = record.rootfs.map { mount in
            MountMessage.with { ($0.type, $0.source, $0.options) = (mount.type, mount.source, mount.options) }
        }
        try await openLogReceiver(record)
        try await createTask(record.id, rootfs, try stdio(record), options)
        await container.connectPending(attachSocket(record.id))
        return try await supervisor.startTask(record.id)
    }

    /// Makes the task. That of an earlier run may still be on its way out, if a daemon died while it removed it: then
    /// its end is waited for.
    private func createTask(
        _ id: String, _ rootfs: [MountMessage], _ stdio: TaskStdio, _ options: Google_Protobuf_Any?
    ) async throws {
        func create() async throws {
            _ = try await supervisor.createTask(id, rootfs: rootfs, stdio: stdio, options: options)
        }
        do { try await create() } catch let error as EngineError {
            guard error.kind == .alreadyExists else { throw error }
            try await ignoringMissing { _ = try await supervisor.deleteTask(id) }
            try await create()
        }
    }

    /// Where the shim puts the output: the log and whoever attaches.
    private func stdio(_ record: ContainerRecord) throws(EngineError) -> TaskStdio {
        let options = try logOptions(record)
        let attach = attachSocket(record.id).string
        let output: String
        if options.hasFile {
            let path = logPath(record)
            do throws(SysError) { try makeDirectories(path.parent, mode: 0o710) } catch { throw EngineError(error) }
            let rotation =
                options.maximumBytes > 0 ? "max-size=\(options.maximumBytes)&max-file=\(options.maximumFiles)&" : ""
            let attributes = try LogInfo(record, options).lineAttributes()
            output =
                "json-file://" + percentEncoded(path.string) + "?" + rotation
                + (attributes.isEmpty ? "" : "attrs=" + percentEncoded(attributes) + "&") + "attach="
                + percentEncoded(attach)
        } else {
            output = "attach://" + percentEncoded(attach)
        }
        return TaskStdio(
            stdin: record.config.openStdin ? "attach:" : "", stdout: output, terminal: record.config.tty)
    }
}

/// Percent-encodes what may not stand for itself in the URL of a stream.
func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        if isAlphanumeric(byte) || [45, 46, 47, 95, 126].contains(byte) {
            result.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            let digits = String(byte, radix: 16, uppercase: true)
            result += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
        }
    }
    return result
}

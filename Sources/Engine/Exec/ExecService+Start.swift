// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import JSON
import LinuxSystem
import Threads

/// How a client starts an exec.
package struct ExecStartRequest: Sendable {
    package var tty: Bool
    /// Instead of the size that the exec was made with.
    package var consoleSize: ConsoleSize?

    package init(tty: Bool, consoleSize: ConsoleSize? = nil) {
        self.tty = tty
        self.consoleSize = consoleSize
    }
}

/// An exec that has been started.
struct RunningExec: Sendable {
    /// How long a process that has closed its output is waited for.
    private static let patience = Duration.seconds(1)

    /// Its streams; nil if nobody listens.
    let connection: AttachConnection?
    /// Ends when the exit code is recorded.
    let exit: AsyncStream<Never>

    /// Suspends until the exit code is recorded: clients ask for it as soon as the output has ended.
    func ended() async {
        await outcome(within: Self.patience) { for await _ in exit {} }
    }
}

extension ExecService {
    /// What docker records for an exec that could not be started.
    private static let startFailureCode: Int32 = 126

    /// Starts an exec that nobody listens to.
    package func startDetached(_ id: String, _ request: ExecStartRequest) async throws {
        _ = try checkStartable(id)
        let record = try claim(id)
        _ = try await launch(record, request, flags: nil)
    }

    /// Starts an exec and serves its client. The start itself happens when the client has its answer, as docker does
    /// it: a failure is told in the stream. Whether the stream has frames is said here, not when the exec was made.
    package func startAttached(_ id: String, _ request: ExecStartRequest) throws(EngineError) -> Attachment {
        let config = try checkStartable(id).config
        var flags: AttachConnection.Flags = []
        if config.attachStdin { flags.formUnion(config.tty ? [.stdin] : [.stdin, .closesStdin]) }
        if config.attachStdout { flags.insert(.stdout) }
        if config.attachStderr { flags.insert(.stderr) }
        let keys = config.tty ? try detachKeys(config.detachKeys) : []
        return Attachment(tty: request.tty) { [self, flags] client in
            let record: ExecRecord
            let running: RunningExec
            do {
                record = try claim(id)  // not before: a client that is gone by now has not started it
                running = try await launch(record, request, flags: flags)
            } catch {
                let text = Array((EngineError(error).message + "\r\n").utf8)
                return try await client.write(request.tty ? text : StreamFrame.encode(.stdout, text))
            }
            guard let connection = running.connection else { return }
            let relay = AttachRelay(
                connection: connection, client: client, tty: config.tty, isFramed: !request.tty,
                hasInput: config.attachStdin, detachKeys: keys)
            if try await relay.run() {
                if let container = try? containers.find(record.containerID) {
                    publish("exec_detach", record, container)
                }
                return
            }
            await running.ended()
        }
    }

    /// Adds the process, attaches to it before it runs, and starts it.
    func launch(
        _ record: ExecRecord, _ request: ExecStartRequest, flags: AttachConnection.Flags?
    ) async throws -> RunningExec {
        let container = try containers.find(record.containerID)
        let socket = containers.runDirectory(container.id) / "exec-\(record.id.prefix(16)).sock"
        let supervisor = containers.supervisor
        publish("exec_start: " + record.config.eventText, record, container)
        do {
            let process = try await makeProcess(record, container, request)
            let stdio = TaskStdio(
                stdin: record.config.attachStdin ? "attach:" : "", stdout: "attach://" + percentEncoded(socket.string),
                terminal: record.config.tty)
            try await supervisor.addExec(container.id, exec: record.id, process: process.bytes(), stdio: stdio)
            var connection: AttachConnection?
            do {
                if let flags { connection = try await AttachConnection.open(socket, flags) }
                let pid = try await supervisor.startTask(container.id, exec: record.id)
                update(record.id) { ($0.phase, $0.pid) = (.running(pid: pid), pid) }
            } catch {
                _ = try? await supervisor.deleteExec(container.id, exec: record.id)
                throw error
            }
            container.addExec(record.id)
            return RunningExec(connection: connection, exit: watch(record, container, socket))
        } catch {
            try? removeFile(socket)
            update(record.id) {
                $0.phase = .exited(code: Self.startFailureCode)
                $0.changedAt = .now
            }
            throw ExecFailure.translate(EngineError(error))
        }
    }

    /// Records the exit when it comes; the stream ends then.
    private func watch(_ record: ExecRecord, _ container: Container, _ socket: FilePath) -> AsyncStream<Never> {
        let supervisor = containers.supervisor
        let (exit, recorded) = AsyncStream.makeStream(of: Never.self)
        // Owned by the process that it waits for; ends with it or with the daemon.
        Task { [self] in
            let status = (try? await supervisor.waitTask(container.id, exec: record.id))?.status ?? 255
            let code = Int32(truncatingIfNeeded: status)
            update(record.id) {
                $0.phase = .exited(code: code)
                $0.changedAt = .now
            }
            container.removeExec(record.id)
            publish("exec_die", record, container, [("exitCode", String(code))])
            recorded.finish()
            _ = try? await supervisor.deleteExec(container.id, exec: record.id)
            try? removeFile(socket)
        }
        return exit
    }

    /// The `process` of the runtime spec.
    private func makeProcess(
        _ exec: ExecRecord, _ container: Container, _ request: ExecStartRequest
    ) async throws(EngineError) -> JSONValue {
        let record = container.record
        let files: UserFiles
        // On a thread of its own: what is mounted in the container may not answer.
        do { files = try await runOnThread { try UserFiles(pid: record.state.pid) } } catch {
            throw .internal("read the user database of container \(record.id): \(error)")
        }
        do {
            return try ExecProcess(
                exec: exec.config, container: record, host: containers.host, defaults: containers.configuration,
                consoleSize: request.consoleSize ?? exec.config.consoleSize,
                linked: try containers.linkEnvironment(record)
            ).build(user: try Self.resolveUser(exec.config, record, files))
        } catch let error as SpecError {
            throw EngineError(error)
        } catch {
            throw EngineError(error)
        }
    }

    private static func resolveUser(
        _ config: ExecConfig, _ record: ContainerRecord, _ files: UserFiles
    ) throws(SpecError) -> ResolvedUser {
        let own = config.user.isEmpty
        return try UserLookup(passwd: files.passwd, group: files.group).resolve(
            own ? record.config.user : config.user, groupAdd: own ? record.hostConfig.list("GroupAdd") : [])
    }
}

/// An exec's start error in docker's words.
enum ExecFailure {
    static func translate(_ error: EngineError) -> EngineError {
        let lower = error.message.lowercased()
        guard lower.contains("exec failed") || lower.contains("container process") else { return error }
        var text = error.message
        let frame = "OCI runtime exec failed: "
        if !text.hasPrefix(frame) { text = frame + text }
        if !text.hasSuffix(": unknown") { text += ": unknown" }
        if lower.contains("is a directory") { text += ": permission denied" }
        let isCommand = ["executable file not found", "no such file", "permission denied", "is a directory"]
            .contains { lower.contains($0) }
        return EngineError(isCommand ? .invalidArgument : .internal, text)
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Threads

/// What a client wants to be attached to.
package struct AttachRequest: Sendable {
    package var stdin = false
    package var stdout = false
    package var stderr = false
    /// The output from now on.
    package var stream = false
    /// The output until now.
    package var logs = false
    /// Whether the output of a container without a terminal comes in docker's frames.
    package var isFramed = true
    package var detachKeys: [UInt8] = DetachKeys.standard

    package init() {}
}

/// An attachment that was granted: nothing of the output is missed from here on.
package struct Attachment: Sendable {
    package var tty: Bool
    /// Serves the client until the process has ended or the client has gone.
    package var serve: @Sendable (any ByteStream) async throws -> Void
}

extension ContainerService {
    /// Attaches to a container; to one that does not run yet, at its next start.
    package func attach(_ reference: String, _ request: AttachRequest) async throws -> Attachment {
        let container = try find(reference)
        let record = container.record
        if record.state.isPaused {
            throw EngineError.conflict("container \(record.id) is paused, unpause the container before attach")
        }
        if record.state.isRestarting {
            throw EngineError.conflict("container \(record.id) is restarting, wait until the container is running")
        }
        let tty = record.config.tty
        var flags: AttachConnection.Flags = []
        if request.stdin, record.config.openStdin {
            flags.insert(.stdin)
            if record.config.stdinOnce, !tty { flags.insert(.closesStdin) }
        }
        if request.stdout { flags.insert(.stdout) }
        if request.stderr { flags.insert(.stderr) }
        let source = try await self.source(container, flags, isWanted: request.stream && !flags.isEmpty)
        publish("attach", record)
        let hasInput = flags.contains(.stdin)
        return Attachment(tty: tty) { [self] client in
            if request.logs {
                try await Task.sleep(for: Self.headStart)
                try await replay(record, request, to: client)
            }
            guard let connection = await Self.connection(source, for: client) else { return }
            let relay = AttachRelay(
                connection: connection, client: client, tty: tty, isFramed: request.isFramed && !tty,
                hasInput: hasInput, detachKeys: tty ? request.detachKeys : [])
            if try await relay.run() { return publish("detach", record) }
            // Who asks next is to find that the container has ended, as with docker.
            _ = await outcome(within: Self.endOfRun) { await container.waitForExit() }
        }
    }

    /// How long after the end of its output a container may take to be known as ended.
    private static let endOfRun = Duration.seconds(2)

    /// What a client gets to read the head of the answer before output follows that is there already: docker-py loses
    /// what comes with the head in one piece.
    private static let headStart = Duration.milliseconds(10)

    /// The connection when it comes; nil if it does not, or if the client has gone before: then nobody is to be
    /// connected in its name, since the end of its input would be taken for the end of the container's.
    static func connection(
        _ source: AsyncStream<AttachConnection>, for client: any ByteStream
    ) async -> AttachConnection? {
        await withTaskGroup(of: AttachConnection?.self) { group in
            group.addTask {
                for await connection in source { return connection }
                return nil
            }
            group.addTask {
                await client.waitUntilGone()
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    /// The connection to the shim, now or at the start.
    private func source(
        _ container: Container, _ flags: AttachConnection.Flags, isWanted: Bool, retries: Int = 4
    ) async throws -> AsyncStream<AttachConnection> {
        guard isWanted else { return AsyncStream { $0.finish() } }
        if let atStart = container.attachAtStart(flags) { return atStart }
        do {
            let connection = try await AttachConnection.open(attachSocket(container.id), flags)
            return AsyncStream { continuation in
                continuation.yield(connection)
                continuation.finish()
            }
        } catch let error as SysError where retries > 0 && [.noSuchFile, .connectionRefused].contains(error.errno) {
            try await Task.sleep(for: .milliseconds(50))  // it has just ended: soon its next start is meant
            return try await source(container, flags, isWanted: true, retries: retries - 1)
        }
    }

    private func replay(_ record: ContainerRecord, _ request: AttachRequest, to client: any ByteStream) async throws {
        var options = LogRequest()
        (options.stdout, options.stderr) = (request.stdout, request.stderr)
        guard let reader = logReader(record) else {
            throw EngineError.unimplemented("configured logging driver does not support reading")
        }
        try await reader.read(options, tty: record.config.tty || !request.isFramed) { bytes in
            try await client.write(bytes)
        }
    }

    package func resize(_ reference: String, width: UInt32, height: UInt32) async throws {
        let container = try find(reference)
        guard container.state.isRunning else {
            throw EngineError.conflict("container \(container.id) is not running")
        }
        try await supervisor.resizeTask(container.id, width: width, height: height)
        publish("resize", container.record, [("height", String(height)), ("width", String(width))])
    }
}

// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Synchronization
import Threads

extension ExecService {
    /// Seconds that a probe may take to die of SIGKILL; a paused one does not.
    private static let deathSeconds = 5

    /// Runs a health check's command in a running container and judges how it ends.
    package func probe(_ container: Container, _ check: HealthCheck) async -> Health.Result {
        let start = Timestamp.now
        let outcome: (code: Int32, output: String)
        do { outcome = try await run(container, check) } catch { outcome = (-1, EngineError(error).message) }
        return Health.Result(start: start, end: .now, exitCode: outcome.code, output: outcome.output)
    }

    private func run(_ container: Container, _ check: HealthCheck) async throws -> (code: Int32, output: String) {
        let config = container.record.config
        let request: JSONValue = [
            "AttachStdout": true, "AttachStderr": true,
            "Cmd": .strings(check.command(shell: config.json["Shell"]?.strings ?? [])),
        ]
        let id = try create(container: container.id, try ExecConfig(json: request))
        let record = try claim(id)
        let running = try await launch(record, ExecStartRequest(tty: false), flags: [.stdout, .stderr])
        guard let connection = running.connection else {
            throw EngineError.internal("the output of a health check of container \(container.id) is missing")
        }
        let output = ProbeOutput()
        if await outcome(within: .nanoseconds(check.timeout), of: { await output.collect(connection) }) == true {
            await running.ended()
            return (try find(id).exitCode ?? -1, output.text)
        }
        let supervisor = containers.supervisor
        // Not a child of this task, which may be cancelled already; ends with the call.
        await Task { try? await supervisor.killTask(container.id, exec: id, signal: 9) }.value
        _ = await outcome(within: .seconds(Self.deathSeconds)) { await output.collect(connection) }
        let text = output.text
        let limit = GoDuration.text(check.timeout)
        return (-1, "Health check exceeded timeout (\(limit))" + (text.isEmpty ? "" : ": " + text))
    }
}

/// The beginning of what a probe printed, of stdout and stderr alike.
private final class ProbeOutput: Sendable {
    private static let limit = 4096

    private struct State {
        var decoder = StreamFrameDecoder()
        var bytes: [UInt8] = []
        var isCut = false
    }

    private let state = Mutex(State())

    /// Reads until the end of the output; false if it did not come, since the task was cancelled.
    func collect(_ connection: AttachConnection) async -> Bool {
        while true {
            do {
                guard let bytes = try await connection.read() else { return true }
                state.withLock { state in
                    state.decoder.append(bytes)
                    while let (_, payload) = state.decoder.next() {
                        let kept = payload.prefix(max(0, Self.limit - state.bytes.count))
                        state.bytes += kept
                        if kept.count < payload.count { state.isCut = true }
                    }
                }
            } catch { return false }
        }
    }

    var text: String {
        state.withLock { String(decoding: $0.bytes, as: UTF8.self) + ($0.isCut ? "..." : "") }
    }
}

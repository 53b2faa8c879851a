// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem

/// A log that a client may read.
package struct LogAnswer: Sendable {
    package var tty: Bool
    /// Sends the log's pieces; ends with it, or when the sending fails because the client has gone.
    package var send: @Sendable (_ send: (([UInt8]) async throws -> Void)) async throws -> Void
}

extension ContainerService {
    package func logs(_ reference: String, _ request: LogRequest) throws(EngineError) -> LogAnswer {
        let container = try find(reference)
        let record = container.record
        guard request.stdout || request.stderr else {
            throw .invalidArgument("Bad parameters: you must choose at least one stream")
        }
        if record.hostConfig.logDriver == "none" {
            throw .unimplemented("configured logging driver does not support reading")
        }
        let reader = LogReader(path: logPath(record.id), tty: record.config.tty)
        return LogAnswer(tty: record.config.tty) { send in
            guard request.follow, container.state.isRunning else { return try await reader.read(request, send) }
            try await reader.follow(request, until: Self.end(of: container), send)
        }
    }

    /// A stream that ends when the container does not run.
    private static func end(of container: Container) -> AsyncStream<Void> {
        let waiting = container.wait(.notRunning)
        return AsyncStream(unfolding: {
            for await _ in waiting { return nil }
            return nil
        })
    }
}

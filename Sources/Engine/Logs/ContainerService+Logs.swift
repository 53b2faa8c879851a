// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Threads

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
        guard let reader = logReader(record) else {
            throw .unimplemented("configured logging driver does not support reading")
        }
        let tty = record.config.tty
        return LogAnswer(tty: tty) { send in
            guard request.follow, container.state.isRunning else {
                return try await reader.read(request, tty: tty, send)
            }
            try await reader.follow(request, tty: tty, until: Self.end(of: container), send)
        }
    }

    /// The log as its file has it; nil if there is none that clients may read.
    func logReader(_ record: ContainerRecord) -> LogReader? {
        let options = try? logOptions(record)
        // Options that are wrong are told at the start; until then there is nothing to read.
        guard options?.isReadable ?? (record.hostConfig.logDriver != "none") else { return nil }
        return LogReader(path: logPath(record))
    }

    func logOptions(_ record: ContainerRecord) throws(EngineError) -> LogOptions {
        try LogOptions(driver: record.hostConfig.logDriver, options: record.hostConfig.logOptions)
    }

    /// The file that the shim writes; docker's names.
    func logPath(_ record: ContainerRecord) -> FilePath {
        let directory = directory(record.id)
        switch record.hostConfig.logDriver {
        case "json-file": return directory / (record.id + "-json.log")
        case "local": return directory / "local-logs/container.log"
        default: return directory / "container-cached.log"
        }
    }

    /// Takes care of the log's files while the container runs; owned by its life.
    func tendLog(_ container: Container) {
        let record = container.record
        guard let options = try? logOptions(record) else { return }
        if options.compresses {
            let compressor = LogCompressor(path: logPath(record), logger: log(record))
            // Ends with the container's run, or with the daemon.
            Task { await compressor.run(until: Self.end(of: container)) }
        }
        guard options.isSent else { return }
        let known = logTasks.takeConnection(record.id)
        guard let connection = known ?? (try? options.dialect(LogInfo(record, options))).map({ LogConnection($0) })
        else { return }
        let (path, place, logger) = (logPath(record), directory(record.id) / "log-sent", log(record))
        let ended = Self.end(of: container)
        logTasks.begin(record.id) {
            await LogForwarder(log: path, place: place, connection: connection, logger: logger).run(until: ended)
        }
    }

    /// Connects to the receiver of the container's log; a start fails without one, as docker's does.
    func openLogReceiver(_ record: ContainerRecord) async throws {
        let options = try logOptions(record)
        guard let dialect = try options.dialect(LogInfo(record, options)) else { return }
        let connection = LogConnection(dialect)
        if !options.mayConnectLater {
            do { try await runOnThread { try connection.open() } } catch {
                let address = dialect.address
                let prefix =
                    options.driver == "gelf" && address.isStream
                    ? "gelf: cannot connect to GELF endpoint: \(address.place):\(address.port) " : ""
                throw LogOptions.failure(prefix + EngineError(error).message)
            }
        }
        logTasks.keep(connection, for: record.id)
    }

    /// A stream that ends when the container does not run.
    static func end(of container: Container) -> AsyncStream<Void> {
        let waiting = container.wait(.notRunning)
        return AsyncStream(unfolding: {
            for await _ in waiting { return nil }
            return nil
        })
    }
}

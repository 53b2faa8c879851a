// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON
import LinuxSystem
import Networking
import Synchronization

/// Additional processes in running containers.
package final class ExecService: Sendable {
    /// How long the exit code of an exec can be asked for.
    private static let memory: Int64 = 300_000_000_000

    let containers: ContainerService
    private let records = Mutex<[String: ExecRecord]>([:])

    package init(containers: ContainerService) { self.containers = containers }

    /// Prepares an exec; returns its id.
    package func create(container reference: String, _ config: ExecConfig) throws(EngineError) -> String {
        if config.command.isEmpty { throw .invalidArgument("No exec command specified") }
        let container = try containers.find(reference)
        try checkRunning(container, as: reference)
        _ = try detachKeys(config.detachKeys)
        let record = ExecRecord(id: randomIdentifier(), containerID: container.id, config: config)
        records.withLock { records in
            let old = Timestamp.now.nanoseconds - Self.memory
            records = records.filter { $0.value.isRunning || $0.value.changedAt.nanoseconds > old }
            records[record.id] = record
        }
        publish("exec_create: " + config.eventText, record, container)
        return record.id
    }

    /// - Parameter reference: what the client calls the container.
    func checkRunning(_ container: Container, as reference: String? = nil) throws(EngineError) {
        try containers.checkRunning(container)
        if container.state.isPaused {
            throw .conflict("Container \(reference ?? container.id) is paused, unpause the container before exec")
        }
    }

    package func find(_ id: String) throws(EngineError) -> ExecRecord {
        guard let record = records.withLock({ $0[id] }) else { throw .notFound("No such exec instance: \(id)") }
        return record
    }

    package func inspect(_ id: String) throws(EngineError) -> JSONValue { try find(id).json }

    package func resize(_ id: String, width: UInt32, height: UInt32) async throws {
        let record = try find(id)
        guard record.isRunning else { throw EngineError.conflict("exec \(id) is not running") }
        try await containers.supervisor.resizeTask(record.containerID, exec: id, width: width, height: height)
    }

    /// Forgets the execs of a run that has ended, as docker does, but those whose clients may still ask for the exit code:
    /// the ones that ran. With `all`, of a removed container, these too.
    func forget(container id: String, all: Bool) {
        records.withLock { records in
            records = records.filter { _, record in
                record.containerID != id || !all && record.phase != .created
            }
        }
    }

    /// Changes a record; nothing happens if it has been forgotten meanwhile.
    func update(_ id: String, _ change: (inout ExecRecord) -> Void) {
        records.withLock { records in
            guard var record = records[id] else { return }
            change(&record)
            records[id] = record
        }
    }

    /// The exec, if it and its container are ready for its start.
    func checkStartable(_ id: String) throws(EngineError) -> ExecRecord {
        let record = try find(id)
        try checkRunning(try containers.find(record.containerID))
        try record.checkUnstarted()
        return record
    }

    /// Takes the only start that an exec has.
    func claim(_ id: String) throws(EngineError) -> ExecRecord {
        try records.withLock { records throws(EngineError) in
            guard var record = records[id] else { throw .notFound("No such exec instance: \(id)") }
            try record.checkUnstarted()
            record.phase = .running(pid: 0)
            records[id] = record
            return record
        }
    }

    func publish(
        _ action: String, _ record: ExecRecord, _ container: Container,
        _ attributes: [(key: String, value: String)] = []
    ) {
        containers.publish(action, container.record, [("execID", record.id)] + attributes)
    }
}

extension ExecConfig {
    /// The command in an event: the program, a space, the arguments.
    var eventText: String { (command.first ?? "") + " " + command.dropFirst().joined(separator: " ") }
}

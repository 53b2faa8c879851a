// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
package import Logging
package import Networking
import Synchronization
import Threads

/// docker's containers on top of the supervisor's containers and tasks.
///
///     create   record, snapshot, supervisor's container record
///     start    network ─▶ files ─▶ spec ─▶ task create ─▶ attach who waits ─▶ task start
///     exit     told by the supervisor's Wait; state, event and waiters at once, clean-up behind them
///     remove   clean-up, snapshot and files, then the record; the name is free and waiters know when all is gone
///
/// Operations of one container run one after the other in its queue. What must work while another operation runs
/// (kill, stop, waiting, reading) does not enter the queue. Each of these parts is an extension in a file of its own.
package final class ContainerService: Sendable {
    let configuration: EngineConfiguration
    let supervisor: SupervisorConnection
    let images: ImageService
    let networks: NetworkService
    let volumes: VolumeService
    let events: EventHub
    let logger: Logger
    let store: ContainerStore
    let registry = ContainerRegistry()
    /// For what blocks: mounts of layers, removal of trees.
    let pool = BlockingPool()
    let host: HostFacts
    let statistics = StatisticsHub()
    package let metrics = Metrics()
    let probe = Mutex<Probe?>(nil)
    /// Forgets the execs of a container; `ExecService.forget`, which is made after this service.
    let execsForgotten = Mutex<(@Sendable (_ id: String, _ all: Bool) -> Void)?>(nil)
    let networkDrivers = NetworkDrivers()
    let logTasks = LogTasks()
    /// The daemon ends its containers: none is started again.
    let isShuttingDown = Atomic(false)
    /// Bytes of RAM that the machine has.
    let machineMemory = UInt64(clamping: MachineFacts().memory)

    package init(
        configuration: EngineConfiguration, supervisor: SupervisorConnection, images: ImageService,
        networks: NetworkService, volumes: VolumeService, events: EventHub, logger: Logger
    ) throws(EngineError) {
        self.configuration = configuration
        self.supervisor = supervisor
        self.images = images
        self.networks = networks
        self.volumes = volumes
        self.events = events
        self.logger = logger
        host = HostFacts.current()
        do { store = try ContainerStore(path: configuration.databasePath) } catch { throw EngineError(error) }
    }

    /// Whether the host has cgroup v2 only.
    package var usesUnifiedCgroups: Bool { host.usesUnifiedCgroups }

    /// The container that a name, an id, the beginning of an id or a link's name (`OWNER/ALIAS`) means.
    package func find(_ reference: String) throws(EngineError) -> Container {
        if let link = containerLink(named: reference) { return link.target }
        return try registry.find(reference)
    }

    /// For operations that waited in the queue while the container was removed.
    func checkExists(_ container: Container) throws(EngineError) {
        if container.state.isRemoving { throw .notFound("No such container: \(container.id)") }
    }

    /// For what only a running container can do; docker's texts. A paused one runs.
    func checkRunning(_ container: Container) throws(EngineError) {
        if container.state.isRestarting {
            throw .conflict("Container \(container.id) is restarting, wait until the container is running")
        }
        if !container.state.isRunning { throw .conflict("container \(container.id) is not running") }
    }

    // MARK: Paths

    /// Records, config files and the log: survives a reboot.
    func directory(_ id: String) -> FilePath { configuration.containersDirectory / id }

    /// Attach sockets: gone after a reboot, like the processes they belong to.
    func runDirectory(_ id: String) -> FilePath { configuration.execRoot / "containers" / id }

    func attachSocket(_ id: String) -> FilePath { runDirectory(id) / "attach.sock" }

    // MARK: Events

    func publish(_ action: String, _ record: ContainerRecord, _ attributes: [(key: String, value: String)] = []) {
        var all = record.config.labels
        all.append(("image", record.imageName))
        all.append(("name", record.name))
        events.publish(type: .container, action: action, id: record.id, attributes: all + attributes)
    }

    /// Stores a changed record; the change itself has happened already, so a full disk is only reported.
    func save(_ container: Container) {
        do { try container.store { (record) throws in try store.save(record) } } catch {
            logger.error(
                "container record not stored", metadata: ["container": "\(container.id)", "error": "\(error)"])
        }
    }

    func log(_ record: ContainerRecord) -> Logger {
        var logger = logger
        logger[metadataKey: "container"] = "\(record.shortID)"
        return logger
    }
}

// SPDX-License-Identifier: Apache-2.0
// Supervisor: containerd's role, without any transport. Every service registers its methods on one handler table, which
// serves gRPC (SupervisorGRPC) and ttrpc (AsyncTTRPC) alike.
//
//   <root>/meta.db           records: namespaces, containers, images, leases, content and snapshot metadata
//   <root>/content/          blobs and ingests
//   <root>/snapshots/        the drivers' directories
//   <state>/shims/<ns>/<id>  bundles of running tasks
package import AsyncTTRPC
import ContentStore
package import LinuxSystem
package import Logging
import Metadata
import Snapshots
import Threads

/// Where a supervisor keeps its things, and where it is reached.
package struct SupervisorConfiguration: Sendable {
    package var root: FilePath
    package var state: FilePath
    /// The gRPC socket; the ttrpc one has `.ttrpc` added.
    package var address: FilePath
    /// How long a registry may be silent in the middle of a request, in seconds.
    package var registryTimeout: Int64 = 60
    /// The user namespace that all files of images and containers are for.
    package var identities = IdentityMap()

    package init(root: FilePath, state: FilePath, address: FilePath) {
        self.root = root
        self.state = state
        self.address = address
    }
}

/// All services over one root directory.
package final class Supervisor: Sendable {
    private let tasks: TaskService
    /// Every method of every service.
    package let handlers: RPCHandlerTable

    /// Opens the stores and makes the services; nothing is served and no shim is asked yet.
    package init(_ configuration: SupervisorConfiguration, log: Logger) throws {
        let root = configuration.root
        try makeDirectories(root, mode: 0o710)
        let database = try Database(path: root / "meta.db")
        try database.migrate(component: SupervisorSchema.component, SupervisorSchema.migrations)
        let pool = BlockingPool()
        let content = try ContentStore(root: root / "content", database: database)
        let overlay = try OverlaySnapshotter(
            root: root / "snapshots" / "overlayfs", database: database, owner: configuration.identities.root)
        let images = ImageServices(
            content: content, images: try ImageStore(database: database), snapshotter: overlay, pool: pool, logger: log,
            identities: configuration.identities)
        let events = EventService()
        let namespaces = NamespaceService(database: database, events: events)
        let containers = ContainerService(database: database, namespaces: namespaces, events: events)
        let collector = ImageCollector(images, database: database)
        let leases = LeaseService(database: database, namespaces: namespaces) { namespace in
            try await collector.collect(namespace)
        }
        tasks = try TaskService(
            state: configuration.state, address: configuration.address, containers: containers,
            namespaces: namespaces, events: events, checkpoints: CheckpointContent(images: images, leases: leases),
            pool: pool, log: log)
        let streams = StreamService()

        var table = RPCHandlerTable()
        VersionService().register(on: &table)
        HealthService().register(on: &table)
        try IntrospectionService(root: root).register(on: &table)
        namespaces.register(on: &table)
        events.register(on: &table)
        leases.register(on: &table)
        containers.register(on: &table)
        tasks.register(on: &table)
        ContentService(store: content, namespaces: namespaces, leases: leases, pool: pool).register(on: &table)
        SnapshotService(drivers: [overlay], namespaces: namespaces, events: events, leases: leases, pool: pool)
            .register(on: &table)
        ImageRecordService(
            images: images.images, namespaces: namespaces, events: events, collector: collector
        ).register(on: &table)
        DiffService(images: images, namespaces: namespaces, leases: leases).register(on: &table)
        SandboxService().register(on: &table)
        streams.register(on: &table)
        TransferService(
            images: images, collector: collector, streams: streams, namespaces: namespaces, events: events,
            registryTimeout: configuration.registryTimeout
        ).register(on: &table)
        handlers = table
    }

    /// Finds the tasks of an earlier life again. To be called before anything is served.
    package func recover() async { await tasks.recover() }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
package import Logging
package import Networking

/// The daemon's services, made once by `swrund` and lent to the routes.
package struct Engine: Sendable {
    package let configuration: EngineConfiguration
    package let supervisor: SupervisorConnection
    package let events: EventHub
    package let images: ImageService
    package let registries: RegistryService
    package let system: SystemService
    package let networks: NetworkService
    package let plugins: Plugins
    package let volumes: VolumeService
    package let containers: ContainerService
    package let execs: ExecService

    package init(configuration: EngineConfiguration, logger: Logger) throws(EngineError) {
        self.configuration = configuration
        supervisor = SupervisorConnection(
            address: configuration.supervisorSocket, namespace: configuration.namespace, logger: logger)
        events = EventHub()
        images = ImageService(supervisor: supervisor, events: events, configuration: configuration, logger: logger)
        registries = RegistryService(configuration: configuration)
        plugins = Plugins(directories: configuration.pluginDirectories)
        system = SystemService(
            configuration: configuration, supervisor: supervisor, images: images, plugins: plugins,
            events: events)
        var network = try NetworkServiceConfiguration(configuration)
        network.warn = { logger.warning("network", metadata: ["error": "\($0)"]) }
        network.callPlugin = plugins.callNetwork
        networks = NetworkService(network)
        volumes = VolumeService(
            dataRoot: configuration.dataRoot, owner: configuration.identities.root, plugins: VolumePlugins(plugins),
            events: events, logger: logger)
        containers = try ContainerService(
            configuration: configuration, supervisor: supervisor, images: images, networks: networks,
            volumes: volumes, events: events, logger: logger)
        execs = ExecService(containers: containers)
        let (containers, execs) = (containers, execs)
        containers.setProbe { await execs.probe($0, $1) }
        containers.setExecKeeper { execs.forget(container: $0, all: $1) }
        images.setUsers { containers.users(ofImage: $0) }
        system.setContainerCounter { containers.counts() }
    }

    /// Makes records, tasks, networks and volumes agree; before the first request.
    package func start() async throws {
        try await supervisor.dropLeases()
        try await containers.restore()
    }

    /// Follows what happens below until the task is cancelled.
    package func run() async { await containers.followEvents() }

    /// After the last request: ends the containers unless they are to outlive the daemon, and removes what nobody needs
    /// while no container runs.
    package func stop() async {
        // A task of its own, awaited here: ours may be cancelled already.
        if !configuration.liveRestore { await Task { await containers.shutDown() }.value }
        await networks.tearDown()
        await registries.shutdown()
    }
}

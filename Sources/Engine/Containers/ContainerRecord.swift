// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON
package import LinuxSystem

/// All that the daemon knows about a container: the durable half. It is written to the database at each change and is
/// what list and inspect read.
package struct ContainerRecord: Sendable, Equatable {
    package var id: String
    package var name: String
    package var created: Timestamp
    /// The image as the user named it, and what that meant.
    package var imageName: String
    package var imageID: String
    package var manifestDigest = ""
    package var chainID = ""
    package var config: ContainerConfig
    package var hostConfig: HostConfig
    /// Network name to endpoint settings, as asked for.
    package var endpoints: [JSONValue.Member] = []
    package var mounts: [MountPoint] = []
    /// How the root file system is mounted: the supervisor's answer, which never changes for a snapshot.
    package var rootfs: [RootMount] = []
    package var state = ContainerState()
    /// What its health checks found; nil as long as there are none, or before the first start.
    package var health: Health?
    /// Starts by the restart policy since the user's last start.
    package var restartCount = 0
    /// The user ended it: the restart policy does not apply.
    package var stoppedByUser = false
    /// The network attachment of the running container, as inspect shows it.
    package var network: NetworkView = NetworkView()
    /// It was disconnected from the network of its mode, which it so does not join at its next start.
    package var leftFirstNetwork = false
    /// The removal that has begun also removes its anonymous volumes.
    package var removesVolumes = false
    /// Starts ever made; before the first there are no config files.
    package var hasBeenStarted = false

    package var shortID: String { String(id.prefix(12)) }

    /// The program and its arguments, as inspect's Path and Args.
    package var commandLine: [String] { (config.entrypoint ?? []) + (config.command ?? []) }

    /// The mode of its network with docker's old name for the default one replaced.
    package var networkMode: String { hostConfig.networkMode }

    /// The network that a start attaches first.
    package var startNetwork: String { leftFirstNetwork ? endpoints.first?.key ?? "none" : networkMode }

    /// It was disconnected from every network.
    package var isOffAllNetworks: Bool { leftFirstNetwork && endpoints.isEmpty }

    /// Whether it was made from an image, or has it mounted.
    func uses(image id: String) -> Bool {
        imageID == id || mounts.contains { $0.kind == .image && $0.imageID == id }
    }

    package var stopSignal: String { config.stopSignal.isEmpty ? "SIGTERM" : config.stopSignal }

    /// Whether the restart policy starts it again after an exit with this code.
    func wantsRestart(after code: Int32) -> Bool {
        hostConfig.restartPolicy.restarts(after: code, restarts: restartCount, stoppedByUser: stoppedByUser)
    }

    /// Seconds until a stop becomes a kill.
    package var stopTimeout: Int { config.stopTimeout ?? 10 }
}

/// What inspect and list show of a container's networks.
package struct NetworkView: Sendable, Equatable {
    package var sandboxKey = ""
    /// Network name to docker's EndpointSettings.
    package var networks: [JSONValue.Member] = []
    package var ports: [Port] = []

    package struct Port: Sendable, Equatable {
        /// `80/tcp`
        package var key: String
        package var hostIP: String
        package var hostPort: Int
    }

    package init() {}
}

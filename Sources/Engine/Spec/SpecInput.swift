// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON

/// Everything that decides a container's runtime spec. A plain value: what needs the kernel (users, devices,
/// namespaces of other containers) is looked up before.
package struct SpecInput: Sendable {
    /// How one of the kernel's namespaces is made.
    package enum Namespace: Sendable, Equatable {
        case new
        case host
        /// Joins the namespace that this file stands for.
        case path(String)
    }

    package var id: String
    package var config: ContainerConfig
    package var hostConfig: HostConfig
    package var user: ResolvedUser
    package var security: SecurityOptions
    package var host: HostFacts
    package var mounts: [MountPoint] = []
    package var devices: [HostDevice] = []

    package var network = Namespace.new
    package var pid = Namespace.new
    package var ipc = Namespace.new
    package var uts = Namespace.new
    package var cgroup = Namespace.new
    package var userNamespace = Namespace.host

    /// resolv.conf, hostname and hosts on the host, by their path in the container.
    package var configFiles: [(destination: String, source: String)] = []
    /// The source of /dev/shm if it is another container's or the host's.
    package var sharedMemorySource: String?
    /// The init program on the host (`--init`).
    package var initProgram: String?
    /// Limits on the reads and writes of devices: the runtime spec's name of the limit, to its entries.
    package var throttles: [(key: String, entries: [JSONValue])] = []
    /// Variables of linked containers; the container's own replace them.
    package var linkEnvironment: [String] = []
    /// The parent of the container's cgroup; empty is our usual one.
    package var cgroupParent = ""
    /// Whether systemd makes the cgroup.
    package var usesSystemdCgroup = false
    package var shmSizeBytes: Int64 = 64 << 20
    /// Limits that every container gets unless it sets its own, as `HostConfig.Ulimits`.
    package var defaultUlimits: [JSONValue] = []

    package init(
        id: String, config: ContainerConfig, hostConfig: HostConfig, user: ResolvedUser, security: SecurityOptions,
        host: HostFacts
    ) {
        self.id = id
        self.config = config
        self.hostConfig = hostConfig
        self.user = user
        self.security = security
        self.host = host
    }
}

/// What the daemon's machine can give.
package struct HostFacts: Sendable, Equatable {
    /// Go's name: `amd64`, `arm64`.
    package var architecture: String
    package var capabilities: [String]
    package var usesUnifiedCgroups: Bool
    package var cpuCount: Int
    /// The security modules that are active, by the key that `--security-opt` has for them: `apparmor`, `label`.
    package var securityModules: Set<String> = []
    /// Whether the kernel can make all that is mounted below a mount read-only with it (mount_setattr(2), 5.12).
    package var mountsReadOnlyRecursively = true

    package init(architecture: String, capabilities: [String], usesUnifiedCgroups: Bool, cpuCount: Int) {
        self.architecture = architecture
        self.capabilities = capabilities
        self.usesUnifiedCgroups = usesUnifiedCgroups
        self.cpuCount = cpuCount
    }
}

/// A device node that the container gets.
package struct HostDevice: Sendable, Equatable {
    package var path: String
    /// `c` or `b`.
    package var type: String
    package var major: Int64
    package var minor: Int64
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    /// Of `r`, `w` and `m`.
    package var access: String

    package init(
        path: String, type: String, major: Int64, minor: Int64, mode: UInt32, uid: UInt32, gid: UInt32, access: String
    ) {
        self.path = path
        self.type = type
        self.major = major
        self.minor = minor
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.access = access
    }
}

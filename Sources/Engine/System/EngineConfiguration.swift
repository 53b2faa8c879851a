// SPDX-License-Identifier: Apache-2.0
package import JSON
package import LinuxSystem
import Netlink

/// What the daemon was told on its command line and in its configuration file, as far as services need it.
@dynamicMemberLookup
package struct EngineConfiguration: Sendable {
    /// Where everything that survives a reboot lives (`--data-root`).
    package var dataRoot: FilePath
    /// Sockets, network namespaces, the pid file (`--exec-root`); gone after a reboot.
    package var execRoot: FilePath
    /// `--userns-remap`: the host's ids for those in containers; empty for the same ones.
    package var identities = IdentityMap()
    /// The supervisor's gRPC socket; its ttrpc twin has `.ttrpc` appended.
    package var supervisorSocket: FilePath
    /// False if `--containerd` named somebody else's supervisor, which is then not started by us.
    package var ownsSupervisor = true
    /// The supervisor's namespace for all that is ours.
    package var namespace = "swrun"
    /// The directory of the five programs.
    package var programDirectory = FilePath("/usr/bin")

    /// What a reload changes; its values are members of this type, too.
    package let live = LiveConfiguration()
    package var network = NetworkConfiguration()
    /// systemd makes the containers' cgroups (`native.cgroupdriver`).
    package var usesSystemdCgroups = false
    /// How long a registry may be silent in the middle of a request, in seconds.
    package var registryTimeout: Int64 = 60
    package var logDriver = "json-file"
    /// `--log-opt` as pairs; the defaults of every container.
    package var logOptions: [(key: String, value: String)] = []
    package var usesInit = false
    /// `--experimental`: checkpoints.
    package var isExperimental = false
    /// `--init-path`: the program of `--init`; empty is ours.
    package var initPath = ""
    /// `--default-ulimit` as the API has them: objects of `Name`, `Soft` and `Hard`.
    package var defaultUlimits: [JSONValue] = []
    /// `--host-gateway-ip`: what `host-gateway` stands for in entries of /etc/hosts; empty is the network's gateway.
    package var hostGateway = ""
    /// `--http-proxy`, `--https-proxy` and `--no-proxy`, by the variable of the environment that each replaces.
    package var proxies: [(variable: String, value: String)] = []
    /// `--no-new-privileges`: for containers that do not say otherwise.
    package var noNewPrivileges = false
    /// `--seccomp-profile`: the text of the profile of containers that name none; `unconfined` for none; empty is ours.
    package var seccompProfile = ""
    /// `--cgroup-parent` for containers that name none; empty lets the runtime choose.
    package var cgroupParent = ""
    /// Where plugins are looked for.
    package var pluginDirectories = PluginDirectories.standard
    /// Where files that describe devices are (`--cdi-spec-dir`).
    package var deviceDirectories = [FilePath("/etc/cdi"), FilePath("/var/run/cdi")]

    package init(dataRoot: FilePath, execRoot: FilePath) {
        self.dataRoot = dataRoot
        self.execRoot = execRoot
        supervisorSocket = execRoot / "supervisor.sock"
    }

    /// Remaps the users of containers. All that these have is elsewhere then, as with docker, in a directory for each
    /// remapping: a daemon with another one must not find it. The supervisor's socket goes along.
    package mutating func remap(_ identities: IdentityMap) {
        self.identities = identities
        if identities.isEmpty { return }
        let root = identities.root
        dataRoot = dataRoot / "\(root.uid).\(root.gid)"
        execRoot = execRoot / "\(root.uid).\(root.gid)"
        supervisorSocket = execRoot / "supervisor.sock"
    }

    /// The runtime root that is passed down to the shim (`<state>/runc`).
    package var runtimeRoot: FilePath { supervisorState / "runc" }
    package var supervisorRoot: FilePath { dataRoot / "supervisor" }
    package var supervisorState: FilePath { execRoot / "supervisor" }
    package var databasePath: FilePath { dataRoot / "engine/engine.db" }
    package var containersDirectory: FilePath { dataRoot / "containers" }
    package var volumesDirectory: FilePath { dataRoot / "volumes" }
    /// `<registry>/hosts.toml`, written by us for the supervisor.
    package var registryHostsDirectory: FilePath { execRoot / "registry" }
    package var netnsDirectory: FilePath { execRoot / "netns" }
}

extension EngineConfiguration {
    /// Refuses settings that do not go together.
    package func check() throws(EngineError) {
        guard usesSystemdCgroups else { return }
        guard exists(FilePath("/run/systemd/system")) else {
            throw .invalidArgument(
                "native.cgroupdriver=systemd: systemd does not run here (/run/systemd/system is missing): use cgroupfs")
        }
        if !CgroupPlace.isSlice(cgroupParent) { throw .invalidArgument(CgroupPlace.refusal) }
    }

    /// What a variable like `HTTP_PROXY` says: the daemon's settings, or else its environment.
    package func proxyVariable(_ name: String) -> String? {
        proxies.first { $0.variable == name.uppercased() }?.value ?? LinuxSystem.Environment.nonEmpty(name)
    }

    /// Whether a text is an address of IPv4 or IPv6.
    package static func isAddress(_ text: String) -> Bool { IPv4Address(text) != nil || IPv6Address(text) != nil }
}

/// A runtime that `--runtime NAME` may choose.
package struct RuntimeEntry: Sendable, Equatable {
    package var name: String
    /// The runtime's program; empty for one that is chosen by its shim (`io.containerd.X.vN`).
    package var path: String
    /// What the program gets before what the shim says (`runtimeArgs`).
    package var arguments: [String]
    /// The containerd name that chooses the shim.
    package var shim: String

    /// Whether a name stands for a shim that need not be configured: `io.containerd.kata.v2`.
    package static func isShimName(_ name: String) -> Bool {
        guard name.hasPrefix("io.containerd."), let last = name.split(separator: ".").last else { return false }
        return last.first == "v" && last.dropFirst().allSatisfy(\.isNumber) && name.split(separator: ".").count > 3
    }

    package init(name: String, path: String, arguments: [String] = [], shim: String = "io.containerd.swrun.v2") {
        self.name = name
        self.path = path
        self.arguments = arguments
        self.shim = shim
    }
}

/// The daemon's network flags, as text that nobody has checked yet; the network service does.
package struct NetworkConfiguration: Sendable {
    /// `--bridge`; empty is our own bridge with its usual name, `none` turns the default network off.
    package var bridge = ""
    /// `--bip`: the bridge's address with prefix length, e.g. `172.30.0.1/16`; empty lets the service choose.
    package var bridgeAddress = ""
    /// `--default-address-pool base=…,size=…`.
    package var addressPools: [(base: String, size: Int)] = []
    package var nameservers: [String] = []
    package var searchDomains: [String] = []
    package var resolverOptions: [String] = []
    package var mtu: Int?
    /// `--iptables`: whether we write firewall rules (nftables, in our own table) at all.
    package var firewall = true
    package var ipForward = true
    package var ipMasquerade = true
    /// `--icc`: whether containers on the default bridge may talk to each other.
    package var interContainer = true
    package var userlandProxy = true
    /// `--allow-direct-routing`: published ports are reached at containers' own addresses, too.
    package var directRouting = false
    /// `--ipv6`: the default bridge has IPv6, of the subnet of `--bip6` or `--fixed-cidr-v6` if they are not empty.
    package var ipv6 = false
    package var bridgeAddress6 = ""
    package var subnet6 = ""
    /// `--fixed-cidr`, `--default-gateway`, `--default-gateway-v6` and `--ip`; empty for none.
    package var addressRange = ""
    package var defaultGateway = ""
    package var defaultGateway6 = ""
    package var hostBinding = ""
    /// `--default-network-opt DRIVER=KEY=VALUE`.
    package var defaultOptions: [String: [String: String]] = [:]
    /// `--ip6tables`: the same as `firewall` for IPv6, which needs both.
    package var firewall6 = true

    package init() {}
}

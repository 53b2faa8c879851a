// SPDX-License-Identifier: Apache-2.0
import Flags

/// dockerd's flags, as far as they mean something here. Each has the key that the configuration file uses for it.
enum DaemonFlags {
    static let set = FlagSet(all.map(\.flag))

    /// The configuration file's key for a flag: the flag's name, but for lists, which have a plural.
    static func key(_ flag: String) -> String { all.first { $0.flag.long == flag }?.key ?? flag }

    static let keys = Set(all.map(\.key))

    private struct Entry {
        var flag: Flag
        var key: String

        init(_ flag: Flag, key: String? = nil) {
            self.flag = flag
            self.key = key ?? flag.long
        }
    }

    private static let all: [Entry] = locations + runtime + network + registry + general

    private static let locations = [
        Entry(.string("data-root", default: "/var/lib/swrun", "Root directory of persistent state")),
        Entry(.string("exec-root", default: "/run/swrun", "Root directory for execution state files")),
        Entry(.list("host", short: "H", "Daemon socket(s) to connect to"), key: "hosts"),
        Entry(.string("pidfile", short: "p", "Path to use for daemon PID file")),
        Entry(.string("group", short: "G", "Group for the unix socket")),
        Entry(.string("config-file", default: "/etc/swrun/daemon.json", "Daemon configuration file")),
        Entry(.string("containerd", "Socket of another supervisor to use")),
        Entry(.string("containerd-namespace", default: "swrun", "Supervisor namespace to use")),
    ]

    private static let runtime = [
        Entry(.list("add-runtime", "Register an additional OCI compatible runtime"), key: "runtimes"),
        Entry(.string("default-runtime", default: "swrun", "Default OCI runtime for containers")),
        Entry(.string("cgroup-parent", "Set parent cgroup for all containers")),
        Entry(.list("exec-opt", "Runtime execution options"), key: "exec-opts"),
        Entry(.bool("init", "Run an init in the container to forward signals and reap processes")),
        Entry(.string("default-shm-size", default: "64m", "Default shm size for containers")),
        Entry(.string("log-driver", default: "json-file", "Default driver for container logs")),
        Entry(.list("log-opt", "Default log driver options for containers"), key: "log-opts"),
    ]

    private static let network = [
        Entry(.string("bridge", short: "b", "Attach containers to a network bridge, \"none\" for no default network")),
        Entry(.string("bip", "IP address and prefix length of the default bridge")),
        Entry(
            .list("default-address-pool", "Default address pools for networks (base=CIDR,size=N)"),
            key: "default-address-pools"),
        Entry(.list("dns", "DNS server to use")),
        Entry(.list("dns-search", "DNS search domains to use")),
        Entry(.list("dns-opt", "DNS options to use"), key: "dns-opts"),
        Entry(.int("mtu", "Set the containers network MTU")),
        Entry(.bool("iptables", default: true, "Write firewall rules (nftables)")),
        Entry(.bool("ip-forward", default: true, "Enable forwarding of IPv4 on the host")),
        Entry(.bool("ip-masq", default: true, "Enable IP masquerading")),
        Entry(.bool("icc", default: true, "Enable communication between containers on the default bridge")),
        Entry(.bool("userland-proxy", default: true, "Accepted for compatibility: there is no proxy process")),
    ]

    private static let registry = [
        Entry(.list("insecure-registry", "Enable insecure registry communication"), key: "insecure-registries"),
        Entry(.list("registry-mirror", "Preferred registry mirror"), key: "registry-mirrors"),
    ]

    private static let general = [
        Entry(.bool("debug", short: "D", "Enable debug mode")),
        Entry(.string("log-level", short: "l", default: "info", "Set the logging level (debug, info, warn, error)")),
        Entry(.list("label", "Set key=value labels to the daemon"), key: "labels"),
        Entry(.bool("live-restore", default: true, "Accepted for compatibility: containers always outlive the daemon")),
        Entry(.bool("validate", "Validate daemon configuration and exit")),
        Entry(.bool("tls", "Use TLS; implied by --tlsverify")),
        Entry(.bool("tlsverify", "Use TLS and verify the remote")),
        Entry(.bool("version", short: "v", "Print version information and quit")),
        Entry(.bool("help", short: "h", "Print usage")),
    ]
}

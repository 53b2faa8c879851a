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

    private static let all: [Entry] =
        locations + runtime + network + registry + security + general + compatibility

    /// dockerd's flags that change nothing here, or are refused: not in the help.
    private static let compatibility =
        ForeignSettings.accepted.map { Entry($0.flag.hiding(), key: $0.key) }
        + ForeignSettings.refused.map { Entry($0.flag.hiding()) }

    private static let locations = [
        Entry(.string("data-root", default: "/var/lib/swrun", "Directory for what must survive a reboot")),
        Entry(.string("exec-root", default: "/run/swrun", "Directory for sockets and the state of what runs")),
        Entry(
            .list(
                "host", short: "H",
                "Socket to listen on (default: unix://<exec-root>/swrun.sock; TLS: tcp://localhost:2376)"), key: "hosts"
        ),
        Entry(.string("pidfile", short: "p", "File for the daemon's process ID (default: <exec-root>/swrund.pid)")),
        Entry(.string("group", short: "G", "Group that may use the unix socket")),
        Entry(.string("config-file", default: "/etc/swrun/daemon.json", "Configuration file, in JSON")),
        Entry(.string("containerd", "Socket of a supervisor that is already running")),
        Entry(
            .string(
                "containerd-namespace", default: "swrun",
                "Namespace of the supervisor that this daemon's containers are in")),
    ]

    private static let runtime = [
        Entry(.list("add-runtime", "Further OCI runtime (name=path)"), key: "runtimes"),
        Entry(.string("default-runtime", default: "swrun", "Runtime of containers that name none")),
        Entry(.string("metrics-addr", "Address to serve figures for Prometheus on (host:port)")),
        Entry(.string("cgroup-parent", "Cgroup below which those of containers are made")),
        Entry(.bool("experimental", "Let containers be saved and restored by criu (docker checkpoint)")),
        Entry(.list("exec-opt", "Option for running containers, e.g. native.cgroupdriver=cgroupfs"), key: "exec-opts"),
        Entry(.bool("init", "Run a small init as process 1 of containers that do not say otherwise")),
        Entry(.string("init-path", "Program of --init (default: ours)")),
        Entry(.string("default-shm-size", default: "64m", "Size of /dev/shm in containers that name none")),
        Entry(
            .list("cdi-spec-dir", "Directory of files that describe devices (default: /etc/cdi and /var/run/cdi)"),
            key: "cdi-spec-dirs"),
        Entry(.string("log-driver", default: "json-file", "Log driver of containers that name none")),
        Entry(
            .list("default-ulimit", "Limit of processes in containers that name none of it (name=soft[:hard])"),
            key: "default-ulimits"),
        Entry(.string("default-ipc-mode", default: "private", "IPC mode of containers that name none")),
        Entry(
            .string(
                "default-cgroupns-mode",
                "Cgroup namespace of containers that name none, host or private (default: private with cgroup v2)")),
        Entry(.string("userns-remap", "User or group whose subordinate ids containers have, or \"default\"")),
        Entry(.bool("no-new-privileges", "Let no container gain privileges that does not say otherwise")),
        Entry(.string("seccomp-profile", default: "builtin", "Seccomp profile of containers that name none")),
        Entry(.list("log-opt", "Option of the log driver for containers that name none (key=value)"), key: "log-opts"),
    ]

    private static let network = [
        Entry(.string("bridge", short: "b", "Bridge of the default network, \"none\" for no default network")),
        Entry(.string("bip", "Address of the default bridge with its prefix length, e.g. 172.17.0.1/16")),
        Entry(.string("bip6", "IPv6 address of the default bridge with its prefix length, e.g. fd00:1::1/64")),
        Entry(.string("fixed-cidr", "Part of the default bridge's network that containers get addresses from")),
        Entry(.string("default-gateway", "Gateway of containers on the default bridge (default: the bridge itself)")),
        Entry(.string("default-gateway-v6", "The same for IPv6")),
        Entry(.string("ip", default: "0.0.0.0", "Address of the host that ports are published on that name none")),
        Entry(
            .list("default-network-opt", "Option of new networks that do not have it (driver=key=value)"),
            key: "default-network-opts"),
        Entry(
            .list("default-address-pool", "Range that networks without a subnet get theirs from (base=CIDR,size=N)"),
            key: "default-address-pools"),
        Entry(.list("dns", "DNS server of containers that name none")),
        Entry(.list("dns-search", "DNS search domain of containers that name none")),
        Entry(
            .string(
                "host-gateway-ip",
                "Address that \"host-gateway\" means in --add-host (default: the host's on the container's network)")),
        Entry(.list("dns-opt", "Option for /etc/resolv.conf of containers that name none"), key: "dns-opts"),
        Entry(.int("mtu", "MTU of the default bridge and its containers")),
        Entry(.bool("iptables", default: true, "Write firewall rules, with nftables")),
        Entry(.bool("ip-forward", default: true, "Turn on IPv4 forwarding on the host")),
        Entry(.bool("ip-masq", default: true, "Give packets that leave the host the host's address")),
        Entry(.bool("allow-direct-routing", "Let others reach published ports at containers' own addresses, too")),
        Entry(.bool("icc", default: true, "Let containers on the default bridge reach one another")),
        Entry(
            .bool("userland-proxy", default: true, "Publish ports on IPv6 addresses to containers without IPv6, too")),
        Entry(.bool("ipv6", default: false, "Give the default bridge IPv6")),
        Entry(.string("fixed-cidr-v6", "IPv6 subnet of the default bridge")),
        Entry(.bool("ip6tables", default: true, "Write firewall rules for IPv6, where --iptables writes any")),
    ]

    private static let registry = [
        Entry(
            .list("insecure-registry", "Registry (host[:port] or CIDR) to talk to without checked TLS"),
            key: "insecure-registries"),
        Entry(.list("registry-mirror", "Mirror of Docker Hub to ask first (URL)"), key: "registry-mirrors"),
        Entry(.int("registry-timeout", default: 60, "Seconds for which a registry may be silent")),
        Entry(.int("max-concurrent-downloads", default: 3, "Layers that a pull fetches at a time, 0 for all")),
        Entry(.int("max-concurrent-uploads", default: 5, "Layers that a push sends at a time, 0 for all")),
        Entry(.int("max-download-attempts", default: 5, "How often the download of a layer is tried, 0 for ever")),
        Entry(.string("http-proxy", "Proxy for registries that are reached by http (default: $HTTP_PROXY)")),
        Entry(.string("https-proxy", "Proxy for registries that are reached by https (default: $HTTPS_PROXY)")),
        Entry(.string("no-proxy", "Hosts that are reached without a proxy, with commas between (default: $NO_PROXY)")),
    ]

    private static let security = [
        Entry(.bool("tls", "Use TLS on TCP sockets")),
        Entry(.bool("tlsverify", "Use TLS and let in only clients with a certificate of --tlscacert")),
        Entry(.string("tlscacert", "Certificates that clients must be signed by (default: ~/.docker/ca.pem)")),
        Entry(.string("tlscert", "Certificate of this daemon (default: ~/.docker/cert.pem)")),
        Entry(.string("tlskey", "Key of the certificate (default: ~/.docker/key.pem)")),
        Entry(
            .list("authorization-plugin", "Plugin to ask before each request and each answer"),
            key: "authorization-plugins"),
    ]

    private static let general = [
        Entry(.bool("debug", short: "D", "The same as --log-level debug")),
        Entry(
            .string(
                "log-level", short: "l", default: "info",
                "Least serious messages to log: \"debug\", \"info\", \"warn\" or \"error\"")),
        Entry(.list("label", "Label of this daemon, shown by info (key=value)"), key: "labels"),
        Entry(
            .bool("live-restore", default: true, "Let containers run on when the daemon is stopped, or else stop them")),
        Entry(.bool("validate", "Check flags and configuration file, and end")),
        Entry(.string("log-format", default: "text", "Format of the log, \"text\" or \"json\"")),
        Entry(
            .int(
                "shutdown-timeout", default: 15,
                "Seconds that containers have to end where --live-restore=false stops them, -1 for no limit")),
        Entry(.bool("version", short: "v", "Print the version")),
        Entry(.bool("help", short: "h", "Print this help")),
    ]
}

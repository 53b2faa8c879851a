// SPDX-License-Identifier: Apache-2.0
import Flags

/// Flags about what the container shares with the host: namespaces and privileges, files, networks.
extension RunFlags {
    static var isolation: [Flag] {
        [
            .list("cap-add", "Capability to add, e.g. NET_ADMIN, or ALL"),
            .list("cap-drop", "Capability to take away, or ALL"),
            .string("cgroup-parent", "Cgroup below which the container's own is made"),
            .string("cgroupns", "Cgroup namespace: \"private\" or \"host\" (default: the daemon's choice)"),
            .list("device", "Host device to allow and show (host-path[:container-path[:rwm]]), or a CDI name"),
            .list("device-cgroup-rule", "Rule for the list of allowed devices, e.g. \"c 42:* rmw\"")
                .checking(RunChecks.deviceRule),
            .value(
                "gpus", named: "gpu-request", repeats: true,
                "GPUs to hand to the container: \"all\", a count, or device=<id>"
            ).checking(RunChecks.gpus),
            .string("ipc", "IPC namespace: \"private\", \"shareable\", \"host\", \"none\" or \"container:<name>\""),
            .string("pid", "PID namespace: \"host\" or \"container:<name>\" (default: one of its own)"),
            .bool("privileged", "Lift nearly all confinement: every capability and every host device"),
            .list("security-opt", "Security setting, e.g. no-new-privileges or seccomp=<profile.json>"),
            .value("sysctl", named: "map", repeats: true, "Kernel parameter of the container's namespaces (name=value)")
                .checking(RunChecks.sysctl),
            .value("ulimit", named: "ulimit", repeats: true, "Resource limit of the process: <name>=<soft>[:<hard>]")
                .checking(RunChecks.ulimit),
            .bool("use-api-socket", "Give the container the daemon's API socket and your registry credentials"),
            .string("userns", "User namespace: \"host\" (default: the daemon's choice)"),
            .string("uts", "UTS namespace, which holds the host name: \"host\" (default: one of its own)"),
        ]
    }

    static var storage: [Flag] {
        [
            .value(
                "mount", named: "mount", repeats: true,
                "Mount described by key=value fields, e.g. type=bind,src=/a,dst=/b,readonly"
            ).checking(RunChecks.mount),
            .bool("read-only", "Make the container's root file system read-only"),
            .value("shm-size", named: "bytes", "Size of /dev/shm, e.g. 64m", check: Checks.bytes),
            .list("storage-opt", "Option of the storage driver for this container (key=value)"),
            .list("tmpfs", "Path for an empty file system in memory (path[:options])"),
            .list("volume", short: "v", "Volume or host path to mount: [<source>:]<path>[:<options>]"),
            .string("volume-driver", "Driver for volumes that --volume creates"),
            .list("volumes-from", "Container whose volumes to mount too (<name>[:ro|rw])"),
        ]
    }

    static var network: [Flag] {
        [
            .list("add-host", "Line for /etc/hosts (host:ip); the ip \"host-gateway\" means this host").checking(
                RunChecks.extraHost),
            .list("dns", "Address of a DNS server").checking(RunChecks.address),
            .list("dns-option", "Option for /etc/resolv.conf, e.g. ndots:2"),
            .list("dns-search", "Domain in which short host names are looked up").checking(RunChecks.searchDomain),
            .string("domainname", "NIS domain name of the container"),
            .list("expose", "Port or range that the container listens on, without publishing it"),
            .string("hostname", short: "h", "Host name inside the container (default: its short ID)"),
            .string("ip", "Fixed IPv4 address, e.g. 172.30.100.104"),
            .string("ip6", "Fixed IPv6 address, e.g. 2001:db8::33"),
            .list("link", "Container to make reachable by name (<name>[:<alias>])").checking(RunChecks.link),
            .list("link-local-ip", "Link-local address (IPv4 or IPv6) to add"),
            .string("mac-address", "Fixed MAC address, e.g. 92:d0:c6:0a:29:33"),
            .value(
                "network", named: "network", repeats: true,
                "Network to join, or \"none\", \"host\" or \"container:<name>\""
            ).checking(RunChecks.network),
            .list("network-alias", "Further name of the container on its network"),
            .list("publish", short: "p", "Port to publish on the host: [[<ip>:][<host-port>]:]<port>[/<protocol>]"),
            .bool("publish-all", short: "P", "Publish every exposed port on a free port of the host"),
        ]
    }
}

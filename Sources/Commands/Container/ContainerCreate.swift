// SPDX-License-Identifier: Apache-2.0
import Flags

/// `swrun container create`
enum ContainerCreate {
    static let command = Command(
        "container create", aliases: ["create"], usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        "Create a new container", arity: .atLeast(1), stopsAtFirstArgument: true,
        flags: {
            [
                .list("add-host", "Add a custom host-to-IP mapping (host:ip)").checking(RunChecks.extraHost),
                .value(
                    "annotation", named: "map", repeats: true,
                    "Add an annotation to the container (passed through to the OCI runtime)"
                ).showing(default: "map[]"),
                .list("attach", short: "a", "Attach to STDIN, STDOUT or STDERR").checking(RunChecks.stream),
                Flag(
                    "blkio-weight", kind: .uint16, valueName: "uint16",
                    help:
                        "Block IO (relative weight), between 10 and 1000, or 0 to disable"
                ).showing(default: "0"),
                .list("blkio-weight-device", "Block IO weight (relative device weight)").showing(default: "[]")
                    .checking(RunChecks.weight),
                .list("cap-add", "Add Linux capabilities"),
                .list("cap-drop", "Drop Linux capabilities"),
                .string("cgroup-parent", "Optional parent cgroup for the container"),
                .string(
                    "cgroupns",
                    "Cgroup namespace to use (host|private)\n"
                        + "'host':    Run the container in the Docker host's cgroup namespace\n"
                        + "'private': Run the container in its own private cgroup namespace\n"
                        + "'':        Use the cgroup namespace as configured by the\n           "
                        + "default-cgroupns-mode option on the daemon (default)"),
                .string("cidfile", "Write the container ID to the file"),
                .int("cpu-count", "CPU count (Windows only)"),
                .int("cpu-percent", "CPU percent (Windows only)"),
                .int("cpu-period", "Limit CPU CFS (Completely Fair Scheduler) period"),
                .int("cpu-quota", "Limit CPU CFS (Completely Fair Scheduler) quota"),
                .int("cpu-rt-period", "Limit CPU real-time period in microseconds"),
                .int("cpu-rt-runtime", "Limit CPU real-time runtime in microseconds"),
                .int("cpu-shares", short: "c", "CPU shares (relative weight)"),
                .value("cpus", named: "decimal", "Number of CPUs", check: Checks.decimal),
                .string("cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)"),
                .string("cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)"),
                .list("device", "Add a host device to the container"),
                .list("device-cgroup-rule", "Add a rule to the cgroup allowed devices list"),
                .list("device-read-bps", "Limit read rate (bytes per second) from a device").showing(default: "[]")
                    .checking(RunChecks.byteRate),
                .list("device-read-iops", "Limit read rate (IO per second) from a device").showing(default: "[]")
                    .checking(RunChecks.operationRate),
                .list("device-write-bps", "Limit write rate (bytes per second) to a device").showing(default: "[]")
                    .checking(RunChecks.byteRate),
                .list("device-write-iops", "Limit write rate (IO per second) to a device").showing(default: "[]")
                    .checking(RunChecks.operationRate),
                .bool("disable-content-trust", default: true, "Skip image verification"),
                .list("dns", "Set custom DNS servers").checking(RunChecks.address),
                .list("dns-option", "Set DNS options"),
                .list("dns-search", "Set custom DNS search domains"),
                .string("domainname", "Container NIS domain name"),
                .string("entrypoint", "Overwrite the default ENTRYPOINT of the image"),
                .list("env", short: "e", "Set environment variables").checking(RunEnvironment.check),
                .list("env-file", "Read in a file of environment variables"),
                .list("expose", "Expose a port or a range of ports"),
                .value(
                    "gpus", named: "gpu-request", repeats: true,
                    "GPU devices to add to the container ('all' to pass all GPUs)"
                ).checking(RunChecks.gpus),
                .list("group-add", "Add additional groups to join"),
                .string("health-cmd", "Command to run to check health"),
                .value(
                    "health-interval", named: "duration",
                    "Time between running the check (ms|s|m|h)", check: Checks.duration
                ).showing(default: "0s"),
                .int("health-retries", "Consecutive failures needed to report unhealthy"),
                .value(
                    "health-start-interval", named: "duration",
                    "Time between running the check during the start period (ms|s|m|h)", check: Checks.duration
                ).showing(default: "0s"),
                .value(
                    "health-start-period", named: "duration",
                    "Start period for the container to initialize before starting health-retries countdown "
                        + "(ms|s|m|h)", check: Checks.duration
                ).showing(default: "0s"),
                .value(
                    "health-timeout", named: "duration",
                    "Maximum time to allow one check to run (ms|s|m|h)", check: Checks.duration
                ).showing(default: "0s"),
                .bool("help", "Print usage"),
                .string("hostname", short: "h", "Container host name"),
                .bool("init", "Run an init inside the container that forwards signals and reaps processes"),
                .bool("interactive", short: "i", "Keep STDIN open even if not attached"),
                .value(
                    "io-maxbandwidth", named: "bytes",
                    "Maximum IO bandwidth limit for the system drive (Windows only)", check: Checks.bytes),
                .uint("io-maxiops", "Maximum IOps limit for the system drive (Windows only)"),
                .string("ip", "IPv4 address (e.g., 172.30.100.104)"),
                .string("ip6", "IPv6 address (e.g., 2001:db8::33)"),
                .string("ipc", "IPC mode to use"),
                .string("isolation", "Container isolation technology"),
                .value("kernel-memory", named: "bytes", "Kernel memory limit", check: Checks.bytes),
                .list("label", short: "l", "Set meta data on a container").checking(RunChecks.label),
                .list("label-file", "Read in a line delimited file of labels"),
                .list("link", "Add link to another container"),
                .list("link-local-ip", "Container IPv4/IPv6 link-local addresses"),
                .string("log-driver", "Logging driver for the container"),
                .list("log-opt", "Log driver options"),
                .string("mac-address", "Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
                .value("memory", short: "m", named: "bytes", "Memory limit", check: Checks.bytes),
                .value("memory-reservation", named: "bytes", "Memory soft limit", check: Checks.bytes),
                .value(
                    "memory-swap", named: "bytes",
                    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
                    check: Checks.bytesOrUnlimited),
                .int("memory-swappiness", default: -1, "Tune container memory swappiness (0 to 100)"),
                .value("mount", named: "mount", repeats: true, "Attach a filesystem mount to the container").checking(
                    RunChecks.mount),
                .string("name", "Assign a name to the container"),
                .value("network", named: "network", repeats: true, "Connect a container to a network"),
                .list("network-alias", "Add network-scoped alias for the container"),
                .bool("no-healthcheck", "Disable any container-specified HEALTHCHECK"),
                .bool("oom-kill-disable", "Disable OOM Killer"),
                .int("oom-score-adj", "Tune host's OOM preferences (-1000 to 1000)"),
                .string("pid", "PID namespace to use"),
                .int("pids-limit", "Tune container pids limit (set -1 for unlimited)"),
                .string("platform", "Set platform if server is multi-platform capable"),
                .bool("privileged", "Give extended privileges to this container"),
                .list("publish", short: "p", "Publish a container's port(s) to the host"),
                .bool("publish-all", short: "P", "Publish all exposed ports to random ports"),
                .string("pull", default: "missing", "Pull image before creating (\"always\", \"|missing\", \"never\")"),
                .bool("quiet", short: "q", "Suppress the pull output"),
                .bool("read-only", "Mount the container's root filesystem as read only"),
                .string("restart", default: "no", "Restart policy to apply when a container exits"),
                .bool("rm", "Automatically remove the container and its associated anonymous volumes when it exits"),
                .string("runtime", "Runtime to use for this container"),
                .list("security-opt", "Security Options"),
                .value("shm-size", named: "bytes", "Size of /dev/shm", check: Checks.bytes),
                .string("stop-signal", "Signal to stop the container"),
                .int("stop-timeout", "Timeout (in seconds) to stop a container"),
                .list("storage-opt", "Storage driver options for the container"),
                .value("sysctl", named: "map", repeats: true, "Sysctl options").showing(default: "map[]").checking(
                    RunChecks.sysctl),
                .list("tmpfs", "Mount a tmpfs directory"),
                .bool("tty", short: "t", "Allocate a pseudo-TTY"),
                .value("ulimit", named: "ulimit", repeats: true, "Ulimit options").showing(default: "[]").checking(
                    RunChecks.ulimit),
                .bool("use-api-socket", "Bind mount Docker API socket and required auth"),
                .string("user", short: "u", "Username or UID (format: <name|uid>[:<group|gid>])"),
                .string("userns", "User namespace to use"),
                .string("uts", "UTS namespace to use"),
                .list("volume", short: "v", "Bind mount a volume"),
                .string("volume-driver", "Optional volume driver for the container"),
                .list("volumes-from", "Mount volumes from the specified container(s)"),
                .string("workdir", short: "w", "Working directory inside the container"),
            ] + Flag.runAliases
        },
        run: run)

    static func run(_ call: Invocation) throws {
        do {
            let settings = try RunSettings(flags: call.flags)
            call.output.line(try ContainerCreation(call: call, settings: settings).run())
        } catch let refusal as RunRefusal {
            throw ContainerRun.failure(refusal.reason, call, code: 125)
        }
    }
}

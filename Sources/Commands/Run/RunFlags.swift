// SPDX-License-Identifier: Apache-2.0
import Flags

/// The flags of `run` and `create`, by what they are about. The help sorts them by name.
enum RunFlags {
    /// What both commands take.
    static var creation: [Flag] {
        [.bool("help", "Print this help")] + identity + streams + process + health + isolation + storage + network
            + limits + blockLimits + windows + aliases
    }

    /// What only `run` takes, because it also starts the container.
    static var running: [Flag] {
        [
            .bool("detach", short: "d", "Leave the container in the background and print its ID"),
            .detachKeys,
            .bool("sig-proxy", default: true, "Pass signals that this program receives on to the container"),
        ]
    }

    // MARK: The container and its image

    private static var identity: [Flag] {
        [
            .value(
                "annotation", named: "map", repeats: true, "OCI annotation (key=value) handed to the runtime"),
            .string("cidfile", "File to write the new container's ID to; must not exist yet"),
            .bool("disable-content-trust", default: true, "Accepted for compatibility: signatures are never checked"),
            .list("label", short: "l", "Label (key or key=value) to attach to the container").checking(RunChecks.label),
            .list("label-file", "File with one label per line"),
            .string("name", "Name of the container (default: a made-up one)"),
            .platform("Platform of the image to use"),
            .string("pull", default: "missing", "When to pull the image first: \"always\", \"missing\" or \"never\""),
            .bool("quiet", short: "q", "Show no pull progress"),
            .restart(default: "no"),
            .bool("rm", "Remove the container and its anonymous volumes once it has ended"),
            .string("runtime", "OCI runtime to run the container with, as registered with the daemon"),
        ]
    }

    private static var streams: [Flag] {
        [
            .list("attach", short: "a", "Stream to connect to: stdin, stdout or stderr").checking(RunChecks.stream),
            .bool("interactive", short: "i", "Keep the container's stdin open, even with nobody attached"),
            .string("log-driver", "Where the container's output is logged, e.g. \"json-file\" or \"none\""),
            .list("log-opt", "Option of the log driver (key=value), e.g. max-size=10m"),
            .bool("tty", short: "t", "Give the container a terminal"),
        ]
    }

    private static var process: [Flag] {
        [
            .string("entrypoint", "Program to run in place of the image's entry point"),
            .list("env", short: "e", "Environment variable (KEY=value, or KEY to copy the caller's)").checking(
                RunEnvironment.check),
            .list("env-file", "File with one environment variable per line"),
            .list("group-add", "Further group (name or ID) that the process belongs to"),
            .bool("init", "Run a small init as process 1 that forwards signals and reaps orphans"),
            .int("oom-score-adj", "How readily the kernel kills the process when memory runs out (-1000 to 1000)"),
            .string("stop-signal", "Signal that asks the container to stop (default: the image's, or SIGTERM)"),
            .int("stop-timeout", "Seconds to wait after the stop signal before SIGKILL"),
            .user,
            .workdir,
        ]
    }

    private static var health: [Flag] {
        [
            .string("health-cmd", "Shell command that tells by its exit code whether the container is healthy"),
            .value(
                "health-interval", named: "duration", "Pause between two health checks, e.g. 30s or 1m30s",
                check: Checks.duration),
            .int("health-retries", "Failed checks in a row that make the container unhealthy"),
            .value(
                "health-start-interval", named: "duration", "Pause between checks during the start period",
                check: Checks.duration),
            .value(
                "health-start-period", named: "duration", "Time after the start in which failed checks do not count",
                check: Checks.duration),
            .value(
                "health-timeout", named: "duration", "Time after which a running check counts as failed",
                check: Checks.duration),
            .bool("no-healthcheck", "Run no health check, not even the image's"),
        ]
    }

    // MARK: Names that the help does not show

    private static var aliases: [Flag] {
        [
            .value("net", named: "network", repeats: true, "The same as --network")
                .checking(RunChecks.network).hiding(),
            .list("net-alias", "The same as --network-alias").hiding(),
            .list("dns-opt", "The same as --dns-option").hiding(),
        ]
    }
}

extension Flag {
    /// `--detach-keys` of every command that attaches.
    static var detachKeys: Flag {
        .string("detach-keys", "Keys that detach from the container, e.g. \"ctrl-a,x\" (default \"ctrl-p,ctrl-q\")")
    }

    /// `--user` of `run`, `create` and `exec`.
    static var user: Flag {
        .string("user", short: "u", "User, and optionally group, to run as: <name|uid>[:<group|gid>]")
    }

    /// `--workdir` of `run`, `create` and `exec`.
    static var workdir: Flag {
        .string("workdir", short: "w", "Directory inside the container to start in")
    }

    /// `--restart` of `run`, `create` and `update`.
    static func restart(default value: String = "") -> Flag {
        .string(
            "restart", default: value,
            "What to do when the container ends: \"no\", \"on-failure[:max-retries]\", \"always\" or "
                + "\"unless-stopped\"")
    }
}

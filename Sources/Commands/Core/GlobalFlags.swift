// SPDX-License-Identifier: Apache-2.0
import Flags

/// The flags that come before the command.
enum GlobalFlags {
    static var all: [Flag] {
        [
            .string("config", "Location of client config files").showing(default: "\"~/.docker\""),
            .string(
                "context", short: "c",
                "Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default "
                    + "context set with \"docker context use\")"),
            .bool("debug", short: "D", "Enable debug mode"),
            .bool("help", short: "h", "Print usage").hiding(),
            .list("host", short: "H", "Daemon socket to connect to"),
            .string(
                "log-level", short: "l", default: "info",
                "Set the logging level (\"debug\", \"info\", \"warn\", \"error\", \"fatal\")"
            ).checking { level in
                ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"].contains(level)
                    ? nil : "not a valid logging level"
            },
            .bool("tls", "Use TLS; implied by --tlsverify"),
            .string("tlscacert", "Trust certs signed only by this CA"),
            .string("tlscert", "Path to TLS certificate file"),
            .string("tlskey", "Path to TLS key file"),
            .bool("tlsverify", "Use TLS and verify the remote"),
            .bool("version", short: "v", "Print version information and quit"),
        ]
    }
}

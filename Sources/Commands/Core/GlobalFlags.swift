// SPDX-License-Identifier: Apache-2.0
import Flags

/// The flags that come before the command.
enum GlobalFlags {
    static var all: [Flag] {
        [
            .string("config", "Directory with config.json and contexts").showing(default: "\"~/.docker\""),
            .string("context", short: "c", "Context that names the daemon; goes before DOCKER_HOST"),
            .bool("debug", short: "D", "Report that debugging is on; changes nothing else"),
            .bool("help", short: "h", "Print this help").hiding(),
            .list("host", short: "H", "Daemon to talk to, e.g. unix:///run/swrun/swrun.sock or tcp://host:2375"),
            .string(
                "log-level", short: "l", default: "info",
                "Accepted for compatibility: \"debug\", \"info\", \"warn\", \"error\" or \"fatal\""
            ),
            .bool("tls", "Speak TLS to the daemon; --tlsverify implies it"),
            .string("tlscacert", "File with the certificates that the daemon's must be signed by"),
            .string("tlscert", "File with the client's certificate"),
            .string("tlskey", "File with the client's private key"),
            .bool("tlsverify", "Speak TLS and check the daemon's certificate"),
            .bool("version", short: "v", "Print the version of this program"),
        ]
    }
}

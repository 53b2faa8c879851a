// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags

/// `swrun container stop`
enum ContainerStop {
    static let command = Command(
        "container stop", aliases: ["stop"], usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Ask containers to end, and kill those that do not", arity: .atLeast(1),
        flags: flags, run: run)

    /// The flags of `stop` and `restart`.
    static func flags() -> [Flag] {
        [
            .string("signal", short: "s", "Signal to stop with (default: the container's own, or SIGTERM)"),
            .int(
                "timeout", short: "t", "Seconds until SIGKILL follows (default: the container's own, or 10; -1: never)"),
            .int("time", "").deprecating("use --timeout instead"),
        ]
    }

    static func run(_ call: Invocation) throws {
        let query = query(call)
        try call.forEachArgument { name in
            try call.client.perform("POST", APIPath.container(name) + "/stop", query)
            return name
        }
    }

    /// What these flags ask for.
    static func query(_ call: Invocation) -> Query {
        var query = Query()
        if let signal = call.flags.optional("signal"), !signal.isEmpty { query.add("signal", signal) }
        if let timeout = call.flags.optionalInt("timeout") ?? call.flags.optionalInt("time") {
            query.add("t", "\(timeout)")
        }
        return query
    }
}

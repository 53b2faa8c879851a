// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun container start`
enum ContainerStart {
    static let command = Command(
        "container start", aliases: ["start"], usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Start containers that are not running", arity: .atLeast(1),
        flags: {
            [
                .bool("attach", short: "a", "Show the container's output and pass signals on to it"),
                .string("checkpoint", "Checkpoint to go on from (experimental daemons)"),
                .string(
                    "checkpoint-dir", "Directory of checkpoints in place of the container's own (experimental daemons)"),
                .detachKeys,
                .bool("interactive", short: "i", "Connect this program's stdin to the container"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        if call.flags.bool("attach") || call.flags.bool("interactive") {
            if call.arguments.count > 1 {
                throw CommandFailure("you cannot start and attach multiple containers at once")
            }
            return try startAttached(call)
        }
        if let query = try checkpoint(call) {
            return try call.client.perform("POST", APIPath.container(call.arguments[0]) + "/start", query)
        }
        var failed: [String] = []
        for name in call.arguments {
            do throws(ClientError) {
                try call.client.perform("POST", APIPath.container(name) + "/start")
                call.output.line(name)
            } catch {
                if error.status == nil { throw error }
                call.output.errorLine(error.message)
                failed.append(name)
            }
        }
        if !failed.isEmpty {
            throw CommandFailure("Error: failed to start containers: " + failed.joined(separator: ", "))
        }
    }

    /// The checkpoint that one container is to go on from, for the daemon; nil for an ordinary start.
    private static func checkpoint(_ call: Invocation) throws -> Query? {
        var query = Query()
        for name in ["checkpoint", "checkpoint-dir"] where call.flags.isSet(name) {
            try call.requireExperimentalDaemon("\"--" + name + "\"")
            query.add(name, call.flags.string(name))
        }
        if call.flags.string("checkpoint").isEmpty { return nil }
        if call.arguments.count > 1 { throw CommandFailure("you cannot restore multiple containers at once") }
        return query
    }

    private static func startAttached(_ call: Invocation) throws {
        let query = try checkpoint(call) ?? Query()
        let named = ContainerSession(client: call.client, id: call.arguments[0])
        let inspected = try call.client.json("GET", named.path + "/json")
        let session = ContainerSession(client: call.client, id: inspected["Id"]?.string ?? call.arguments[0])
        let hasTerminal = inspected["Config"]?["Tty"]?.bool ?? false
        let stdin = call.flags.bool("interactive") && (inspected["Config"]?["OpenStdin"]?.bool ?? false)
        try ContainerSession.requireTerminal(hasTerminal, stdin: stdin)
        let keys = call.flags.optional("detach-keys") ?? call.config.string("detachKeys") ?? ""
        let connection = try session.attach(
            stdin: stdin, stdout: call.flags.bool("attach") || hasTerminal || stdin,
            stderr: call.flags.bool("attach") || hasTerminal || stdin, detachKeys: keys)
        let removes = inspected["HostConfig"]?["AutoRemove"]?.bool ?? false
        let waiting = try session.wait(removes ? "removed" : "next-exit")
        let streams = try AttachedStreams(
            connection,
            .init(
                hasTerminal: hasTerminal, stdin: stdin, detachKeys: keys,
                proxiesSignals: call.flags.bool("sig-proxy") && !hasTerminal))
        session.connect(streams)
        try call.client.perform("POST", session.path + "/start", query)
        streams.resize()
        switch try streams.run() {
        case .detached: return
        case .interrupted(let signal): throw CommandFailure.exit(128 + signal)
        case .outputEnded:
            let code = try ContainerSession.exitCode(waiting)
            if code != 0 { throw CommandFailure.exit(code) }
        }
    }
}

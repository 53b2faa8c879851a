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
                .string("checkpoint", "Checkpoint to go on from (not supported yet)"),
                .string("checkpoint-dir", "Directory of the checkpoint (not supported yet)"),
                .detachKeys,
                .bool("interactive", short: "i", "Connect this program's stdin to the container"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        try call.refuse("checkpoint", "checkpoint-dir")
        if call.flags.bool("attach") || call.flags.bool("interactive") {
            if call.arguments.count > 1 {
                throw CommandFailure("you cannot start and attach multiple containers at once")
            }
            return try startAttached(call)
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

    private static func startAttached(_ call: Invocation) throws {
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
        try call.client.perform("POST", session.path + "/start")
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

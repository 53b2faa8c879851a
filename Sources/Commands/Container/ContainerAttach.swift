// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun container attach`
enum ContainerAttach {
    static let command = Command(
        "container attach", aliases: ["attach"], usage: "[OPTIONS] CONTAINER",
        "Connect this terminal to a running container", arity: .exactly(1),
        flags: {
            [
                .detachKeys,
                .bool("no-stdin", "Send no input to the container"),
                .bool("sig-proxy", default: true, "Pass signals that this program receives on to the container"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let session = ContainerSession(client: call.client, id: call.arguments[0])
        let inspected = try call.client.json("GET", session.path + "/json")
        let hasTerminal = inspected["Config"]?["Tty"]?.bool ?? false
        guard inspected["State"]?["Running"]?.bool ?? false else {
            throw CommandFailure("You cannot attach to a stopped container, start it first")
        }
        if inspected["State"]?["Paused"]?.bool ?? false {
            throw CommandFailure("You cannot attach to a paused container, unpause it first")
        }
        if inspected["State"]?["Restarting"]?.bool ?? false {
            throw CommandFailure("You cannot attach to a restarting container, wait until it is running")
        }
        let stdin = !call.flags.bool("no-stdin") && (inspected["Config"]?["OpenStdin"]?.bool ?? false)
        try ContainerSession.requireTerminal(hasTerminal, stdin: stdin)
        let keys = call.flags.optional("detach-keys") ?? call.config.string("detachKeys") ?? ""
        let waiting = try session.wait("")
        let connection = try session.attach(stdin: stdin, detachKeys: keys)
        let streams = try AttachedStreams(
            connection,
            .init(
                hasTerminal: hasTerminal, stdin: stdin, detachKeys: keys,
                proxiesSignals: call.flags.bool("sig-proxy") && !hasTerminal))
        session.connect(streams)
        streams.resize()
        switch try streams.run() {
        case .detached: throw CommandFailure.leftByKeys
        case .interrupted(let signal): throw CommandFailure.exit(128 + signal)
        case .outputEnded:
            let code = try ContainerSession.exitCode(waiting)
            if code != 0 { throw CommandFailure.exit(code) }
        }
    }
}

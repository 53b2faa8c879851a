// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun container exec`
enum ContainerExec {
    static let command = Command(
        "container exec", aliases: ["exec"], usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
        "Run a further command in a running container", arity: .atLeast(2), stopsAtFirstArgument: true,
        flags: {
            [
                .bool("detach", short: "d", "Return at once and leave the command running"),
                .detachKeys,
                .list("env", short: "e", "Environment variable (KEY=value, or KEY to copy the caller's)").checking(
                    RunEnvironment.check),
                .list("env-file", "File with one environment variable per line"),
                .bool("interactive", short: "i", "Connect this program's stdin to the command"),
                .bool("privileged", "Give the command every capability"),
                .bool("tty", short: "t", "Give the command a terminal"),
                .user,
                .workdir,
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let flags = call.flags
        let container = ContainerSession(client: call.client, id: call.arguments[0])
        let isDetached = flags.bool("detach")
        let stdin = flags.bool("interactive") && !isDetached
        let hasTerminal = flags.bool("tty")
        // Asks first, so that a wrong name is told before a missing terminal.
        _ = try call.client.json("GET", container.path + "/json")
        if !isDetached { try ContainerSession.requireTerminal(hasTerminal, stdin: stdin) }
        let keys = flags.optional("detach-keys") ?? call.config.string("detachKeys") ?? ""
        let id = try create(call, container, stdin: stdin, keys: keys)
        let start = "/exec/" + id + "/start"
        if isDetached {
            return try call.client.perform(
                "POST", start, body: .json(["Detach": true, "Tty": .bool(hasTerminal), "ConsoleSize": .null]))
        }
        let body: JSONValue = ["Detach": false, "Tty": .bool(hasTerminal), "ConsoleSize": consoleSize(hasTerminal)]
        let connection = try call.client.hijack(start, body: body)
        let streams = try AttachedStreams(
            connection, .init(hasTerminal: hasTerminal, stdin: stdin, detachKeys: keys, proxiesSignals: false))
        let client = call.client
        streams.onResize = { columns, rows in
            _ = try? client.perform("POST", "/exec/" + id + "/resize", Query([("h", "\(rows)"), ("w", "\(columns)")]))
        }
        streams.resize()
        try finish(try streams.run(), call, id)
    }

    private static func create(
        _ call: Invocation, _ container: ContainerSession, stdin: Bool, keys: String
    ) throws -> String {
        let flags = call.flags
        let isAttached = !flags.bool("detach")
        let variables: [String]
        do { variables = try RunEnvironment.variables(flags) } catch let refusal as RunRefusal {
            throw CommandFailure(refusal.reason)
        }
        let hasTerminal = flags.bool("tty")
        let body: JSONValue = [
            "User": .string(flags.string("user")), "Privileged": .bool(flags.bool("privileged")),
            "Tty": .bool(hasTerminal), "ConsoleSize": consoleSize(hasTerminal), "AttachStdin": .bool(stdin),
            "AttachStderr": .bool(isAttached), "AttachStdout": .bool(isAttached),
            "DetachKeys": .string(keys), "Env": .stringsOrNull(variables),
            "WorkingDir": .string(flags.string("workdir")), "Cmd": .strings(Array(call.arguments.dropFirst())),
        ]
        let answer = try call.client.json("POST", container.path + "/exec", body: .json(body))
        guard let id = answer["Id"]?.string, !id.isEmpty else { throw CommandFailure("exec ID empty") }
        return id
    }

    private static func consoleSize(_ hasTerminal: Bool) -> JSONValue {
        guard hasTerminal, let size = TerminalMode.size(1) else { return .null }
        return [.int(Int64(size.rows)), .int(Int64(size.columns))]
    }

    private static func finish(_ ending: AttachedStreams.Ending, _ call: Invocation, _ id: String) throws {
        switch ending {
        case .detached: throw CommandFailure.leftByKeys
        case .interrupted(let signal): throw CommandFailure.exit(128 + signal)
        case .outputEnded:
            let result = try call.client.json("GET", "/exec/" + id + "/json")
            let code = Int32(truncatingIfNeeded: result["ExitCode"]?.int ?? 0)
            if code != 0 { throw CommandFailure.exit(code) }
        }
    }
}

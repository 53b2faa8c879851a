// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON
import LinuxSystem

/// The parts that `run`, `start -a`, `attach` and `exec` share.
struct ContainerSession {
    let client: DockerClient
    let id: String

    var path: String { APIPath.container(id) }

    /// Opens the streams of the container; wait for the answer before starting it, and nothing is lost.
    func attach(stdin: Bool, stdout: Bool = true, stderr: Bool = true, detachKeys: String) throws -> HijackedConnection
    {
        var query = Query()
        if !detachKeys.isEmpty { query.add("detachKeys", detachKeys) }
        query.add("stderr", if: stderr)
        query.add("stdin", if: stdin)
        query.add("stdout", if: stdout)
        query.add("stream", "1")
        return try client.hijack(path + "/attach", query)
    }

    /// Passes on signals and window sizes.
    func connect(_ streams: AttachedStreams) {
        let client = client
        let path = path
        streams.onSignal = { name in
            _ = try? client.perform("POST", path + "/kill", Query([("signal", name)]))
        }
        streams.onResize = { columns, rows in
            _ = try? client.perform("POST", path + "/resize", Query([("h", "\(rows)"), ("w", "\(columns)")]))
        }
    }

    /// Begins to wait for the exit; the daemon's headers say that it is watching.
    func wait(_ condition: String) throws -> HTTPResponse {
        try client.send("POST", path + "/wait", Query(condition.isEmpty ? [] : [("condition", condition)]))
    }

    /// The exit code that `wait` tells at last.
    static func exitCode(_ waiting: HTTPResponse) throws -> Int32 {
        let result = try waiting.json()
        if let message = result["Error"]?["Message"]?.string, !message.isEmpty {
            throw CommandFailure(message, exitCode: 125)
        }
        return Int32(truncatingIfNeeded: result["StatusCode"]?.int ?? 125)
    }

    /// A terminal for the container needs one on our side.
    static func requireTerminal(_ wantsTerminal: Bool, stdin: Bool) throws {
        if wantsTerminal, stdin, !TerminalMode.isTerminal(0) {
            throw CommandFailure("the input device is not a TTY")
        }
    }
}

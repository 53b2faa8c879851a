// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import LinuxSystem

/// `swrun container run`
enum ContainerRun {
    static let command = Command(
        "container run", aliases: ["run"], usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        "Create a container from an image and start it", arity: .atLeast(1), stopsAtFirstArgument: true,
        flags: { RunFlags.creation + RunFlags.running },
        run: run)

    static func run(_ call: Invocation) throws {
        do { try start(call) } catch let refusal as RunRefusal {
            throw failure(refusal.reason, call, code: 125)
        } catch let error as ClientError {
            throw failure(error.message, call, code: exitCode(for: error.message))
        } catch let error as ProgressFailure {
            throw failure(error.message, call, code: 125)
        } catch let error as ImageName.Malformed {
            throw failure(error.reason, call, code: 125)
        }
    }

    private static func start(_ call: Invocation) throws {
        var settings = try RunSettings(flags: call.flags)
        if settings.isDetached, !call.flags.list("attach").isEmpty {
            throw CommandFailure("conflicting options: cannot specify both --attach and --detach")
        }
        if !settings.isDetached {
            try ContainerSession.requireTerminal(settings.hasTerminal, stdin: settings.attachStdin)
        }
        if settings.hasTerminal, let size = TerminalMode.size(1) {
            settings.consoleSize = (Int64(size.rows), Int64(size.columns))
        }
        let id = try ContainerCreation(call: call, settings: settings).run()
        let session = ContainerSession(client: call.client, id: id)
        guard settings.attachStdin || settings.attachStdout || settings.attachStderr else {
            try call.client.perform("POST", session.path + "/start")
            return call.output.line(id)
        }
        try startAttached(call, settings, session)
    }

    /// Attaches, waits and only then starts, so that neither output nor the exit code can be missed.
    private static func startAttached(_ call: Invocation, _ settings: RunSettings, _ session: ContainerSession) throws {
        let keys = call.flags.optional("detach-keys") ?? call.config.string("detachKeys") ?? ""
        let connection = try session.attach(
            stdin: settings.attachStdin, stdout: settings.attachStdout, stderr: settings.attachStderr, detachKeys: keys)
        let waiting = try session.wait(settings.removesAtExit ? "removed" : "next-exit")
        var options = AttachedStreams.Options(
            hasTerminal: settings.hasTerminal, stdin: settings.attachStdin, detachKeys: keys,
            proxiesSignals: call.flags.bool("sig-proxy"))
        options.stdout = settings.attachStdout
        options.stderr = settings.attachStderr
        let streams = try AttachedStreams(connection, options)
        session.connect(streams)
        do throws(ClientError) { try call.client.perform("POST", session.path + "/start") } catch {
            // The daemon removes what never ran; wait until it has.
            if settings.removesAtExit { _ = try? ContainerSession.exitCode(waiting) }
            throw error
        }
        streams.resize()
        switch try streams.run() {
        case .detached: return
        case .interrupted(let signal): throw CommandFailure.exit(128 + signal)
        case .outputEnded:
            let code = try ContainerSession.exitCode(waiting)
            if code != 0 { throw CommandFailure.exit(code) }
        }
    }

    /// What scripts tell apart: 127 no such command, 126 a command that cannot be run, 125 everything else.
    private static func exitCode(for message: String) -> Int32 {
        if message.contains(text: "executable file not found") || message.contains(text: "no such file or directory")
            || message.contains(text: "system cannot find the file specified")
        {
            return 127
        }
        return message.contains(text: "permission denied") || message.contains(text: "is a directory") ? 126 : 125
    }

    static func failure(_ reason: String, _ call: Invocation, code: Int32) -> CommandFailure {
        CommandFailure(
            "swrun: " + reason + "\n\nRun 'swrun " + call.name + " --help' for more information", exitCode: code)
    }
}

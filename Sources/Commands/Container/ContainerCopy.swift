// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun container cp`
enum ContainerCopy {
    static let command = Command(
        "container cp", aliases: ["cp"],
        usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tswrun cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
        "Copy files and directories to or from a container", arity: .exactly(2),
        details: """
            Copy files and directories to or from a container, running or not

            The source '-' is a tar archive on stdin, which is unpacked into a
            directory of the container. The destination '-' is stdout, which
            gets a tar archive of the container's files.
            """,
        flags: {
            [
                .bool("archive", short: "a", "Keep the numeric owner and group of every file"),
                .bool("follow-link", short: "L", "If SRC_PATH is a symbolic link, copy what it leads to"),
                .bool("quiet", short: "q", "Do not report what was copied; without a terminal nothing is reported"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let source = CopyPlace(call.arguments[0])
        let target = CopyPlace(call.arguments[1])
        let isQuiet = call.flags.bool("quiet") || !TerminalMode.isTerminal(2)
        switch (source, target) {
        case (.container(let id, let path), .local(let local)):
            let copy = CopyFromContainer(call: call, container: id, path: path, follows: call.flags.bool("follow-link"))
            let size = try copy.run(to: local)
            if !isQuiet, local != "-" { report(call, size, to: local) }
        case (.local(let local), .container(let id, let path)):
            let copy = CopyToContainer(call: call, container: id, path: path, follows: call.flags.bool("follow-link"))
            let size = try copy.run(from: local)
            if !isQuiet, local != "-" { report(call, size, to: id + ":" + path) }
        case (.container, .container): throw CommandFailure("copying between containers is not supported")
        case (.local, .local): throw CommandFailure("must specify at least one container source")
        }
    }

    private static func report(_ call: Invocation, _ size: Int64, to place: String) {
        call.output.error(Array(("Successfully copied " + SizeText.short(Double(size)) + " to " + place + "\n").utf8))
    }
}

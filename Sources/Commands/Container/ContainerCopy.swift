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
        "Copy files/folders between a container and the local filesystem", arity: .exactly(2),
        details: """
            Copy files/folders between a container and the local filesystem

            Use '-' as the source to read a tar archive from stdin
            and extract it to a directory destination in a container.
            Use '-' as the destination to stream a tar archive of a
            container source to stdout.
            """,
        flags: {
            [
                .bool("archive", short: "a", "Archive mode (copy all uid/gid information)"),
                .bool("follow-link", short: "L", "Always follow symbol link in SRC_PATH"),
                .bool(
                    "quiet", short: "q",
                    "Suppress progress output during copy. Progress output is automatically suppressed if no "
                        + "terminal is attached"),
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

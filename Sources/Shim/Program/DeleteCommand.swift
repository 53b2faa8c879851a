// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import ShimAPI

/// `swrun-shim delete`: removes what a shim that is gone has left, and returns a DeleteResponse for stdout.
///
/// Without its shim a container's streams and exit code are lost, so it is killed if it still runs.
enum DeleteCommand {
    static func run(_ arguments: ShimArguments) throws(SysError) -> [UInt8] {
        let bundle = FilePath(arguments.bundle.utf8.isEmpty ? "." : arguments.bundle)
        let pid = ProcessPaths(bundle: bundle, execID: nil).readPid() ?? 0
        if let settings = RuntimeSettings(savedIn: bundle) { try delete(arguments.id, settings) }
        try unmountAll(bundle / "rootfs")
        _ = try? removeFile(SocketPath.path(arguments))
        let exit = ExitStatus(code: 128 + 9, exitedAt: .now)
        return DeleteResponse(pid: UInt32(pid), exit: exit).encoded()
    }

    /// A container that the runtime does not know is as good as deleted, so the command's own success does not matter.
    private static func delete(_ id: String, _ settings: RuntimeSettings) throws(SysError) {
        let command = settings.globalArguments(log: nil) + ["delete", "--force", id]
        let spawn = Spawn(settings.binary, command, environment: Environment.current())
        let null = try LinuxSystem.open(FilePath("/dev/null"), O_RDWR)
        let pid = try spawn.start(stdin: null.raw, stdout: null.raw, stderr: null.raw)
        try sys("waitpid") { waitpid(pid, nil, 0) }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// `swrun-shim start`: makes the socket, starts the shim that serves it, and prints its address.
enum StartCommand {
    static func run(_ arguments: ShimArguments) throws(SysError) -> String {
        let path = SocketPath.path(arguments)
        let address = "unix://" + path.string
        if (try? UnixSocket.connect(path)) != nil { return address }  // it is already there
        try makeDirectory(SocketPath.directory(arguments), mode: 0o711)
        let listener = try UnixSocket.listen(path, mode: 0o600)
        do throws(SysError) {
            let pid = try serve(listener, path, arguments)
            adjustOOMScore(of: pid)
            do throws(SysError) { try writeFile(FilePath("address"), Array(address.utf8)) } catch {
                kill(pid, SIGKILL)  // nobody would ever find it
                throw error
            }
        } catch {
            _ = try? removeFile(path)
            throw error
        }
        return address
    }

    /// The socket becomes the shim's stdin: nothing that is sent between now and its first accept is lost.
    private static func serve(
        _ listener: borrowing OwnedFD, _ path: FilePath, _ arguments: ShimArguments
    ) throws(SysError) -> pid_t {
        var flags = ["-namespace", arguments.namespace, "-id", arguments.id, "-address", arguments.address]
        if arguments.debug { flags.append("-debug") }
        let program = try readLink(FilePath("/proc/self/exe"))
        var spawn = Spawn(program, flags + ["-socket", path.string], environment: Environment.current())
        spawn.newSession = true
        let null = try LinuxSystem.open(FilePath("/dev/null"), O_RDWR)
        return try spawn.start(stdin: listener.raw, stdout: null.raw, stderr: null.raw)
    }

    /// One more than its supervisor's: when memory is short the shim dies before the supervisor, and long before what
    /// it runs. Best effort.
    private static func adjustOOMScore(of pid: pid_t) {
        guard let text = try? readText(FilePath("/proc/\(getppid())/oom_score_adj")), let score = Int(text) else {
            return
        }
        _ = try? writeText(FilePath("/proc/\(pid)/oom_score_adj"), String(min(score + 1, 1000)))
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The program as a container's first process (`docker run --init`): starts the real command, hands every signal on to
/// it, collects orphans, and ends as the command ends.
///
///     docker-init [--] COMMAND [ARGUMENT…]
enum InitProgram {
    static func run(_ arguments: [String]) -> CInt {
        let command = Array(arguments.drop { $0 != "--" && $0.utf8.first == UInt8(ascii: "-") })
        let words = command.first == "--" ? Array(command.dropFirst()) : command
        guard let name = words.first else { return ShimProgram.complain("docker-init: no command") }
        do throws(SysError) {
            let signals = try SignalDescriptor(nonBlocking: false)
            return try supervise(try start(name, Array(words.dropFirst())), signals)
        } catch {
            _ = ShimProgram.complain("docker-init: exec \(name) failed: " + error.errno.text)
            return error.errno == .noSuchFile ? 127 : 126
        }
    }

    private static func start(_ name: String, _ arguments: [String]) throws(SysError) -> pid_t {
        var path = FilePath(name)
        if !name.utf8.contains(UInt8(ascii: "/")) {
            guard let found = findExecutable(name) else { throw SysError("exec", name, .noSuchFile) }
            path = found
        }
        var spawn = Spawn(path, arguments, environment: Environment.current())
        spawn.programName = name
        spawn.inForeground = true
        return try spawn.start(stdin: 0, stdout: 1, stderr: 2)
    }

    private static func supervise(_ child: pid_t, _ signals: borrowing SignalDescriptor) throws(SysError) -> CInt {
        while let signal = signals.next() {
            guard signal == SIGCHLD else {
                _ = try? sendSignal(signal, to: child)
                continue
            }
            while let ended = reapChild() { if ended.pid == child { return ended.code } }
        }
        return 1
    }
}

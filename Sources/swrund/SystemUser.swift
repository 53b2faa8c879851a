// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import LinuxSystem

/// Users of the machine that the daemon makes for itself.
enum SystemUser {
    /// With a group of the same name and without a home, by useradd(8) or, where that is missing, adduser(8).
    static func make(_ name: String) throws(EngineError) {
        let ways = [
            ("useradd", ["-r", "-U", "-s", "/bin/false", name]),
            ("adduser", ["-S", "-D", "-H", "-s", "/bin/false", name]),
        ]
        for (program, arguments) in ways {
            guard let path = path(of: program) else { continue }
            do throws(SysError) {
                let null = try open(FilePath("/dev/null"), O_RDWR)
                let spawn = Spawn(path, arguments, environment: LinuxSystem.Environment.current())
                let code = try waitForChild(try spawn.start(stdin: null.raw, stdout: null.raw, stderr: 2))
                if code == 0 { return }
                throw SysError("run", path.string, .invalidArgument, hint: "it ended with code \(code)")
            } catch {
                throw .internal("Error during \"\(name)\" user creation: \(error.description)")
            }
        }
        throw .internal("Error during \"\(name)\" user creation: neither useradd nor adduser is there")
    }

    private static func path(of program: String) -> FilePath? {
        ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map { FilePath($0) / program }.first { exists($0) }
    }
}

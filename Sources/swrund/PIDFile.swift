// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// The file that says which process is the daemon; it keeps a second one from starting on the same directories.
struct PIDFile {
    let path: FilePath

    func claim() throws {
        if let text = try? readText(path), let pid = pid_t(text), pid != getpid(), isSameProgram(pid) {
            throw DaemonError("process with PID \(pid) is still running: see \(path.string)")
        }
        try makeDirectories(path.parent, mode: 0o711)
        try writeFileAtomically(path, Array("\(getpid())\n".utf8), mode: 0o644)
    }

    func release() { try? removeFile(path) }

    /// A number may have been given to another program since.
    private func isSameProgram(_ pid: pid_t) -> Bool {
        guard let theirs = try? readText(FilePath("/proc/\(pid)/comm")), let ours = try? readText("/proc/self/comm")
        else { return false }
        return theirs == ours
    }

    private func readText(_ path: String) throws(SysError) -> String { try LinuxSystem.readText(FilePath(path)) }
    private func readText(_ path: FilePath) throws(SysError) -> String { try LinuxSystem.readText(path) }
}

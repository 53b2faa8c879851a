// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem
import OCISpec

/// The program that decides on the system calls which a filter hands to a listener (config-linux.md, "The Container
/// Process State").
struct SeccompAgent {
    /// A unix socket of the host.
    let path: String
    let metadata: String
    /// The container's; its pid is zero where the process that is told of is the init itself.
    let state: RuntimeState

    /// Fetches the listener from the process and sends it to the agent, with what the process is.
    func send(_ number: Int32, of process: borrowing OwnedFD, pid: Int32) throws(RuntimeError) {
        let listener = try step("fetch the seccomp listener") { () throws(SysError) in
            try fetchDescriptor(number, of: process)
        }
        let socket = try step("failed to connect with seccomp agent specified in the seccomp profile") {
            () throws(SysError) in try UnixSocket.connect(FilePath(path))
        }
        try step("send the seccomp listener") { () throws(SysError) in
            let (target, descriptor) = (socket.raw, listener.raw)
            let bytes = message(pid).bytes()
            try sys("sendmsg", path) {
                var descriptor = descriptor
                return bytes.withUnsafeBytes { swrun_send_fds(target, $0.baseAddress, $0.count, &descriptor, 1) }
            }
        }
    }

    private func message(_ pid: Int32) -> JSONValue {
        var state = state
        if state.pid == 0 { state.pid = pid }
        var message: JSONValue = [
            "ociVersion": .string(Version.runtimeSpec), "fds": ["seccompFd"], "pid": .int(Int64(pid)),
        ]
        if !metadata.isEmpty { message.set("metadata", .string(metadata)) }
        message.set("state", state.json)
        return message
    }
}

// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON
import LinuxSystem

/// A process that a client adds to a running container (`docker exec`). Kept in memory only, as dockerd does: it cannot
/// outlive its container, and nobody asks for it after a restart of the daemon.
package struct ExecRecord: Sendable {
    package enum Phase: Sendable, Equatable {
        case created
        case running(pid: UInt32)
        case exited(code: Int32)
    }

    package var id: String
    package var containerID: String
    package var config: ExecConfig
    package var phase = Phase.created
    var pid: UInt32 = 0
    /// When it was made, or else ended.
    var changedAt = Timestamp.now

    package var isRunning: Bool {
        if case .running = phase { return true }
        return false
    }

    func checkUnstarted() throws(EngineError) {
        switch phase {
        case .created: break
        case .running: throw .conflict("Error: Exec command \(id) is already running")
        case .exited: throw .conflict("Error: Exec command \(id) has already run")
        }
    }

    package var exitCode: Int32? {
        if case .exited(let code) = phase { return code }
        return nil
    }

    /// The answer of `GET /exec/{id}/json`.
    package var json: JSONValue {
        var process: JSONValue = [
            "tty": .bool(config.tty), "entrypoint": .string(config.command.first ?? ""),
            "arguments": .strings(Array(config.command.dropFirst())), "privileged": .bool(config.privileged),
        ]
        if !config.user.isEmpty { process.set("user", .string(config.user)) }
        return [
            "ID": .string(id), "Running": .bool(isRunning), "ExitCode": exitCode.map { .int(Int64($0)) } ?? .null,
            "ProcessConfig": process, "OpenStdin": .bool(config.attachStdin),
            "OpenStderr": .bool(config.attachStderr), "OpenStdout": .bool(config.attachStdout), "CanRemove": false,
            "ContainerID": .string(containerID), "DetachKeys": .string(config.detachKeys), "Pid": .int(Int64(pid)),
        ]
    }
}

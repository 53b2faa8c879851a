// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import LinuxSystem

/// Which task: containers of different namespaces may have the same id.
struct TaskKey: Hashable, Sendable, CustomStringConvertible {
    var namespace: String
    var id: String

    var description: String { namespace + "/" + id }
}

/// How a task's first process ended.
struct TaskExit: Equatable, Sendable {
    var pid: UInt32
    var status: UInt32
    var exitedAt: Timestamp

    /// What is known of a process whose shim was lost: it was killed, by whatever killed the shim or by us.
    static func killed(pid: UInt32) -> TaskExit { TaskExit(pid: pid, status: 137, exitedAt: .now) }
}

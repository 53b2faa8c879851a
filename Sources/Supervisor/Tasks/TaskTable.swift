// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Synchronization

/// Which tasks there are, and who is answering for each.
final class TaskTable: Sendable {
    enum Entry: Sendable {
        /// Being made: the id is taken, nothing can be asked yet.
        case creating
        case running(ShimConnection)
        /// The shim is gone. What is known of the exit is kept until a client deletes the task.
        case lost(Bundle, TaskExit)
    }

    private let entries = Mutex<[TaskKey: Entry]>([:])

    subscript(key: TaskKey) -> Entry? { entries.withLock { $0[key] } }

    func all(_ namespace: String) -> [(key: TaskKey, entry: Entry)] {
        entries.withLock { entries in
            entries.filter { $0.key.namespace == namespace }.map { (key: $0.key, entry: $0.value) }
        }.sorted { $0.key.id < $1.key.id }
    }

    /// Takes the id for a task that is about to be made.
    func reserve(_ key: TaskKey) throws(ServiceError) {
        let isFree = entries.withLock { entries in
            guard entries[key] == nil else { return false }
            entries[key] = .creating
            return true
        }
        if !isFree { throw ServiceError(.alreadyExists, "task \(key.id): already exists") }
    }

    func set(_ key: TaskKey, _ entry: Entry?) { entries.withLock { $0[key] = entry } }

    /// Removes the task if this connection answers for it; false if something else happened to it before.
    func remove(_ shim: ShimConnection) -> Bool { replace(shim, with: nil) }

    /// Replaces a running entry by what is known after the shim's death.
    func replace(_ shim: ShimConnection, with entry: Entry?) -> Bool {
        entries.withLock { entries in
            guard case .running(let current) = entries[shim.bundle.key], current === shim else { return false }
            entries[shim.bundle.key] = entry
            return true
        }
    }
}

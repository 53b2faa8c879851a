// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What sends the logs of containers, one task for each; a container's next run waits for the lines of its last one.
final class LogTasks: Sendable {
    private struct State {
        var tasks: [String: Task<Void, Never>] = [:]
        var connections: [String: LogConnection] = [:]
    }

    private let state = Mutex(State())

    /// Keeps a connection that was opened before the start until the sending begins.
    func keep(_ connection: LogConnection, for id: String) { state.withLock { $0.connections[id] = connection } }

    func takeConnection(_ id: String) -> LogConnection? { state.withLock { $0.connections.removeValue(forKey: id) } }

    /// Runs `body` once what was begun before for this container is done.
    func begin(_ id: String, _ body: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            let before = state.tasks[id]
            // Owned by this table; `end` cancels it.
            state.tasks[id] = Task {
                await before?.value
                await body()
            }
        }
    }

    /// Lets the sending come to its end, but not for longer than this.
    func end(_ id: String, within limit: Duration) async {
        let task = state.withLock { state in
            state.connections[id] = nil
            return state.tasks.removeValue(forKey: id)
        }
        guard let task else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await task.value }
            group.addTask {
                try? await Task.sleep(for: limit)
                task.cancel()
            }
            await group.next()
            group.cancelAll()
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What the clients of a socket may cost.
package struct ConnectionLimits: Sendable {
    /// How many connections are open at the same time; one more is closed at once.
    package var connections: Int
    /// How long a connection may move nothing, either way, before it is closed; nil is for ever.
    package var idle: Duration?

    package init(connections: Int = .max, idle: Duration? = nil) {
        self.connections = connections
        self.idle = idle
    }
}

/// Counts the connections of a socket against their limit.
final class ConnectionPlaces: Sendable {
    private let free: Mutex<Int>

    init(_ count: Int) { free = Mutex(count) }

    /// False if there is none left.
    func take() -> Bool {
        free.withLock { free in
            if free == 0 { return false }
            free -= 1
            return true
        }
    }

    func giveBack() { free.withLock { $0 += 1 } }
}

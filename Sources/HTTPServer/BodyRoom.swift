// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What the bodies that are being collected may take together, beyond a small part of each: many clients that send large
/// bodies slowly cannot fill the memory.
final class BodyRoom: Sendable {
    /// That of all servers of the process.
    static let shared = BodyRoom(bytes: 64 << 20)

    /// What each body may have beside it.
    static let ownBytes = 256 << 10

    private let free: Mutex<Int>

    init(bytes: Int) { free = Mutex(bytes) }

    /// False if there is not so much left; then nothing is taken.
    func take(_ count: Int) -> Bool {
        free.withLock { free in
            guard count <= free else { return false }
            free -= count
            return true
        }
    }

    func giveBack(_ count: Int) { free.withLock { $0 += count } }
}

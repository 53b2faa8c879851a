// SPDX-License-Identifier: Apache-2.0
import OCISpec
import Synchronization

/// Blobs that a load which still reads its archive counts on. A collection leaves them alone; it does not wait for the
/// load, as it does for other transfers, since the archive may come from somebody's keyboard.
final class ContentPins: Sendable {
    private struct Key: Hashable {
        var namespace: String
        var digest: Digest
    }

    private let counts = Mutex<[Key: Int]>([:])

    /// Keeps a blob, whether or not it is stored yet.
    func pin(_ namespace: String, _ digest: Digest) {
        counts.withLock { $0[Key(namespace: namespace, digest: digest), default: 0] += 1 }
    }

    /// Undoes one `pin` of each.
    func unpin(_ namespace: String, _ digests: [Digest]) {
        counts.withLock { counts in
            for digest in digests {
                let key = Key(namespace: namespace, digest: digest)
                let left = (counts[key] ?? 0) - 1
                counts[key] = left > 0 ? left : nil
            }
        }
    }

    /// Runs `remove` unless the blob is pinned; it cannot be pinned meanwhile. Returns whether it ran.
    func unlessPinned(_ namespace: String, _ digest: Digest, _ remove: () throws -> Void) rethrows -> Bool {
        try counts.withLock { counts in
            guard counts[Key(namespace: namespace, digest: digest)] == nil else { return false }
            try remove()
            return true
        }
    }
}

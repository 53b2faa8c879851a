// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import Synchronization

/// The bar of the one download of an `import URL`, as docker words it.
package final class DownloadProgress: Sendable {
    /// Two lines are at least this far apart, in nanoseconds.
    private static let interval: Int64 = 100_000_000

    private let total: Int64
    private let last = Mutex<(time: Int64, count: Int64)?>(nil)

    /// - Parameter total: bytes; nil if the server does not say.
    package init(total: Int64?) { self.total = total ?? 0 }

    /// The line that is due after `count` bytes; nil if it is too early for one.
    ///
    /// - Parameter now: monotonic time, in nanoseconds.
    package func line(at count: Int64, isEnd: Bool, now: Int64) -> ProgressMessage? {
        let isDue = last.withLock { last in
            if let known = last, isEnd ? known.count == count : now - known.time < Self.interval { return false }
            last = (now, count)
            return true
        }
        return isDue ? .progress("Importing", id: "", current: count, total: total) : nil
    }
}

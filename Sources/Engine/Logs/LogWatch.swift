// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Tells a follower that there may be more to read: something changed in the log's directory, or the container ended.
///
/// Created before the log is read, so that nothing falls between reading and waiting.
final class LogWatch: Sendable {
    private enum Wake: Sendable {
        case changed
        case ended
    }

    private let wakes: AsyncStream<Wake>
    private let tasks: [Task<Void, Never>]

    init(directory: FilePath, ended: AsyncStream<Void>) throws(SysError) {
        let inotify = OwnedFD(owning: try sys("inotify_init1") { inotify_init1(CInt(IN_NONBLOCK | IN_CLOEXEC)) })
        let number = inotify.raw
        let events = UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO)
        try sys("inotify_add_watch", directory.string) { inotify_add_watch(number, directory.string, events) }
        let source = Inotify(inotify)
        let (stream, continuation) = AsyncStream.makeStream(of: Wake.self, bufferingPolicy: .unbounded)
        wakes = stream
        // Both are owned by this watch: `stop` cancels them.
        tasks = [
            Task {
                while await source.next() { continuation.yield(.changed) }
            },
            Task {
                for await _ in ended {}
                continuation.yield(.ended)
            },
        ]
    }

    /// False once the container has ended: one more reading gets the rest.
    func wait() async -> Bool {
        for await wake in wakes { return wake == .changed }
        return false
    }

    func stop() { for task in tasks { task.cancel() } }
}

private final class Inotify: Sendable {
    private let fd: OwnedFD

    init(_ fd: consuming OwnedFD) { self.fd = fd }

    /// Suspends until something has changed; false when the task is cancelled.
    func next() async -> Bool {
        do { try await waitUntilReadable(fd.raw) } catch { return false }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case .bytes = readNonBlocking(fd, into: &buffer) {}
        return true
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Tells a follower that there may be more to read: something changed in the log's directory, or the container ended.
///
/// Created before the log is read, so that nothing falls between reading and waiting.
final class LogWatch: Sendable {
    private let signal = LogSignal()
    private let tasks: [Task<Void, Never>]

    /// - Parameter events: which of inotify's to be told of.
    init(
        directory: FilePath, ended: AsyncStream<Void>,
        events: UInt32 = UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO)
    ) throws(SysError) {
        let inotify = OwnedFD(owning: try sys("inotify_init1") { inotify_init1(CInt(IN_NONBLOCK | IN_CLOEXEC)) })
        let number = inotify.raw
        try sys("inotify_add_watch", directory.string) { inotify_add_watch(number, directory.string, events) }
        let source = Inotify(inotify)
        // Both are owned by this watch: `stop` cancels them.
        tasks = [
            Task { [signal] in
                while await source.next() { signal.change() }
            },
            Task { [signal] in
                for await _ in ended {}
                signal.end()
            },
        ]
    }

    /// False once the container has ended: one more reading gets the rest.
    func wait() async -> Bool { await signal.wait() }

    func stop() { for task in tasks { task.cancel() } }
}

/// "Something has changed", however often, is one wake-up for a follower that is slow; "ended" stays.
struct LogSignal: Sendable {
    private let wakes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func change() { continuation.yield() }

    func end() { continuation.finish() }

    /// Suspends until something has changed since the last call; false once the end has come and nothing more is to be
    /// told before it, or when the task is cancelled.
    func wait() async -> Bool {
        for await _ in wakes { return true }
        return false
    }
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

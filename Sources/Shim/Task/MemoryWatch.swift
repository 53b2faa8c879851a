// SPDX-License-Identifier: Apache-2.0
import Cgroups
import LinuxSystem

/// Where a container's memory is counted.
struct MemoryCgroup: Sendable, Equatable {
    let directory: FilePath
    let isUnified: Bool

    /// From the text of /proc/PID/cgroup (cgroups(7)); nil if no memory cgroup is in it. Where version 1 has the memory
    /// controller, version 2 has not.
    init?(membership: String) {
        var unified: FilePath?
        for line in membership.utf8.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let path = String(Substring(parts[2]))
            if parts[1].split(separator: UInt8(ascii: ",")).contains(where: { $0.elementsEqual("memory".utf8) }) {
                (directory, isUnified) = (FilePath("/sys/fs/cgroup/memory") / path, false)
                return
            }
            if parts[1].isEmpty { unified = FilePath("/sys/fs/cgroup") / path }
        }
        guard let unified else { return nil }
        (directory, isUnified) = (unified, true)
    }
}

/// Tells when a container is out of memory: at once, whichever of its processes the kernel kills, or holds up where it
/// must not kill. Lives until `end`.
final class MemoryWatch {
    /// Version 1 tells before it kills, and several times: the counter is up to date, and all is told, after so long.
    private static let delayMilliseconds: Int64 = 20

    private var watch: OOMWatch
    private let loop: EventLoop
    private let report: () -> Void
    private var token: EventLoop.Token?
    private var isCheckDue = false

    init(_ cgroup: MemoryCgroup, loop: EventLoop, _ report: @escaping () -> Void) throws(SysError) {
        watch = try OOMWatch(cgroup.directory, isUnified: cgroup.isUnified)
        self.loop = loop
        self.report = report
        token = try loop.watch(watch.fd, watch.interest) { [self] _ in wake() }
    }

    /// The last call of version 1 is that the cgroup goes; version 2 has other news than kills, too.
    private func wake() {
        guard (try? watch.acknowledge()) != nil, exists(watch.counters) else { return unwatch() }
        if isCheckDue { return }
        isCheckDue = true
        loop.after(milliseconds: Self.delayMilliseconds) { [self] in
            isCheckDue = false
            if token != nil { check() }
        }
    }

    private func check() { if watch.newKills() > 0 || watch.isHeldUp { report() } }

    /// The container has ended. What it may have ended of is told before that, if it was not yet.
    func end() {
        unwatch()
        check()
    }

    private func unwatch() {
        if let token { loop.unwatch(token) }
        token = nil
    }
}

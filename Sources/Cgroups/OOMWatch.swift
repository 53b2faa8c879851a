// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

/// Tells when the kernel kills in a container's memory cgroup for want of memory.
///
/// Version 1 counts up an eventfd that was written to `cgroup.event_control` (kernel: admin-guide/cgroup-v1/memory,
/// section 10); of version 2 the file memory.events itself can be polled.
@usableFromInline package struct OOMWatch: ~Copyable {
    private let source: OwnedFD
    /// The file with a line `oom_kill N`.
    package let counters: FilePath
    package let isUnified: Bool
    private var kills: UInt64

    /// Fails if the host has no memory controller, or its kernel cannot tell.
    package init(_ figures: CgroupFigures) throws(SysError) {
        guard let directory = figures.directory("memory") else {
            throw SysError("watch memory", "", .notSupported, hint: "the host has no cgroup controller memory")
        }
        try self.init(directory, isUnified: figures.isUnified)
    }

    package init(_ directory: FilePath, isUnified: Bool) throws(SysError) {
        let file = directory / (isUnified ? "memory.events" : "memory.oom_control")
        let source = try OOMWatch.open(directory, file, isUnified: isUnified)
        self.source = source
        self.isUnified = isUnified
        counters = file
        kills = OOMWatch.kills(file)
    }

    private static func open(
        _ directory: FilePath, _ counters: FilePath, isUnified: Bool
    ) throws(SysError) -> OwnedFD {
        let file = try LinuxSystem.open(counters, O_RDONLY)
        if isUnified { return file }
        let event = OwnedFD(owning: try sys("eventfd") { eventfd(0, CInt(EFD_CLOEXEC)) })
        try writeText(directory / "cgroup.event_control", "\(event.raw) \(file.raw)")
        return event
    }

    /// What an event loop waits for; `acknowledge` comes before the next waiting.
    package var fd: CInt { source.raw }
    package var interest: Readiness { isUnified ? .urgent : .readable }

    /// - Throws: `noSuchDevice` once the cgroup of version 2 is gone.
    package borrowing func acknowledge() throws(SysError) {
        _ = try readSome(source, upTo: 4096)
        if isUnified { lseek(source.raw, 0, SEEK_SET) }
    }

    /// Waits until `process` (a pidfd) has ended, a kill may have happened, or the time is over.
    ///
    /// - Returns: whether the process has ended.
    package borrowing func wait(for process: borrowing OwnedFD, milliseconds: CInt) throws(SysError) -> Bool {
        var entries = [
            pollfd(fd: process.raw, events: Int16(Readiness.readable.rawValue), revents: 0),
            pollfd(fd: source.raw, events: Int16(interest.rawValue), revents: 0),
        ]
        _ = try sys("poll") { entries.withUnsafeMutableBufferPointer { poll($0.baseAddress, 2, milliseconds) } }
        if entries[1].revents != 0 { _ = try? acknowledge() }
        return entries[0].revents != 0
    }

    /// How many processes have been killed since this was asked last.
    package mutating func newKills() -> UInt64 {
        let now = OOMWatch.kills(counters)
        defer { kills = max(now, kills) }
        return now > kills ? now - kills : 0
    }

    /// Whether processes wait for memory, since the kernel must not kill (version 1's `oom_kill_disable`).
    package var isHeldUp: Bool { !isUnified && CgroupCounters((try? readText(counters)) ?? "")["under_oom"] > 0 }

    private static func kills(_ file: FilePath) -> UInt64 {
        CgroupCounters((try? readText(file)) ?? "")["oom_kill"]
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// A container's memory cgroup, as far as the shim looks at it: whether the kernel has killed there for want of memory.
struct MemoryCounters: Sendable, Equatable {
    /// The file with a line `oom_kill N`.
    let file: FilePath

    /// From the text of /proc/PID/cgroup (cgroups(7)); nil if no memory cgroup is in it. Where version 1 has the memory
    /// controller, version 2 has not.
    init?(membership: String) {
        var unified: FilePath?
        for line in membership.utf8.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let path = String(Substring(parts[2]))
            if parts[1].split(separator: UInt8(ascii: ",")).contains(where: { $0.elementsEqual("memory".utf8) }) {
                file = FilePath("/sys/fs/cgroup/memory") / path / "memory.oom_control"
                return
            }
            if parts[1].isEmpty { unified = FilePath("/sys/fs/cgroup") / path / "memory.events" }
        }
        guard let unified else { return nil }
        file = unified
    }

    /// Best effort: a cgroup that is gone has no numbers.
    var hasKilled: Bool {
        guard let text = try? readText(file) else { return false }
        return Self.hasKilled(text)
    }

    static func hasKilled(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "\n")).contains { line in
            line.starts(with: "oom_kill ".utf8) && line.dropFirst(9).contains { $0 != UInt8(ascii: "0") }
        }
    }
}

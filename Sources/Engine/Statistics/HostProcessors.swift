// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The machine's processors at one moment, from /proc/stat (proc(5)).
struct HostProcessors: Sendable, Equatable {
    /// Nanoseconds of all processors since the boot, idle ones included.
    var time: UInt64 = 0
    var online = 0

    /// Zeros if the text is something else.
    init(parsing text: String) {
        for line in text.split(separator: "\n") where line.hasPrefix("cpu") {
            let words = line.split(separator: " ")
            if words.first != "cpu" {
                online += 1
                continue
            }
            // user, nice, system, idle, iowait, irq and softirq, in ticks of 10 ms; guests are in user already.
            time = words.dropFirst().prefix(7).reduce(0) { $0 &+ (UInt64($1) ?? 0) } &* 10_000_000
        }
    }

    static func current() -> HostProcessors {
        HostProcessors(parsing: (try? readText(FilePath("/proc/stat"), limit: 16 << 20)) ?? "")
    }
}

/// What went through one network interface.
struct InterfaceCounters: Sendable, Equatable {
    var name: String
    var received: [UInt64]
    var sent: [UInt64]

    /// The container's own interfaces from the text of /proc/PID/net/dev; those that it made itself are left out.
    static func parse(_ text: String) -> [InterfaceCounters] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let name = parts[0].split(separator: " ").first, name.hasPrefix("eth") else {
                return nil
            }
            let numbers = parts[1].split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count >= 12 else { return nil }
            return InterfaceCounters(
                name: String(name), received: Array(numbers[0..<4]), sent: Array(numbers[8..<12]))
        }
    }

    /// Those of a process; none if it is in the host's network namespace, or has ended.
    static func read(pid: Int32) -> [InterfaceCounters] {
        guard let own = try? readLink(FilePath("/proc/self/ns/net")),
            let its = try? readLink(FilePath("/proc/\(pid)/ns/net")), its.string != own.string,
            let text = try? readText(FilePath("/proc/\(pid)/net/dev"))
        else { return [] }
        return parse(text)
    }
}

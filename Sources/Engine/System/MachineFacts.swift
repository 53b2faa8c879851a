// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// What `/info` says about the machine, read from procfs when asked; a file that cannot be read counts as empty.
struct MachineFacts: Sendable {
    var kernel = MachineFacts.text("/proc/sys/kernel/osrelease")
    var hostname = MachineFacts.text("/proc/sys/kernel/hostname")
    var operatingSystem: String
    var operatingSystemVersion: String
    var memory: Int64
    var processors: Int
    var hasCgroup2 = exists(FilePath("/sys/fs/cgroup/cgroup.controllers"))
    var hasSeccomp = exists(FilePath("/proc/sys/kernel/seccomp/actions_avail"))
    var forwardsIPv4 = MachineFacts.text("/proc/sys/net/ipv4/ip_forward") == "1"
    /// Of this process.
    var threads = (try? listDirectory(FilePath("/proc/self/task")).count) ?? 1
    var openFiles = (try? listDirectory(FilePath("/proc/self/fd")).count) ?? 0

    init() {
        let release = Self.keyValues(Self.text("/etc/os-release"))
        operatingSystem = release["PRETTY_NAME"] ?? "Linux"
        operatingSystemVersion = release["VERSION_ID"] ?? ""
        let memoryLine = Self.text("/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
        memory = (memoryLine?.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0) * 1024
        let statistics = Self.text("/proc/stat").split(separator: "\n")
        processors = statistics.count { $0.hasPrefix("cpu") && !$0.hasPrefix("cpu ") }
    }

    /// The kernel's name of the architecture, and Go's.
    static let architecture: (kernel: String, go: String) = {
        #if arch(x86_64)
            ("x86_64", "amd64")
        #elseif arch(arm64)
            ("aarch64", "arm64")
        #else
            ("unknown", "unknown")
        #endif
    }()

    private static func text(_ path: String) -> String { (try? readText(FilePath(path))) ?? "" }

    /// `KEY="value"` lines (os-release(5)).
    static func keyValues(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            var value = parts[1]
            if value.count > 1, let quote = value.first, quote == "\"" || quote == "'", value.last == quote {
                value = value.dropFirst().dropLast()
            }
            values[String(parts[0])] = String(value)
        }
        return values
    }
}

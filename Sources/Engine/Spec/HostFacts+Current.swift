// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

extension HostFacts {
    /// The facts of this machine, read from procfs.
    static func current() -> HostFacts {
        let status = (try? readText(FilePath("/proc/self/status"))) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") } ?? ""
        let mask = UInt64(line.drop { $0 != "\t" }.dropFirst(), radix: 16) ?? 0
        var facts = HostFacts(
            architecture: MachineFacts.architecture.go, capabilities: Capability.names(inMask: mask),
            usesUnifiedCgroups: exists(FilePath("/sys/fs/cgroup/cgroup.controllers")),
            cpuCount: max(1, MachineFacts().processors))
        let apparmor = try? readText(FilePath("/sys/module/apparmor/parameters/enabled"))
        if apparmor?.hasPrefix("Y") == true { facts.securityModules.insert("apparmor") }
        let release = MachineFacts().kernel.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        facts.mountsReadOnlyRecursively = !release.lexicographicallyPrecedes([5, 12])
        if exists(FilePath("/sys/fs/selinux/enforce")) { facts.securityModules.insert("label") }
        return facts
    }
}

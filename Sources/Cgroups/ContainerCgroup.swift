// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import OCISpec

/// A container's place in every hierarchy: made, limited, joined, emptied and removed together.
package struct ContainerCgroup: Sendable, Equatable {
    package let layout: CgroupLayout
    /// From each hierarchy's base, with a leading slash.
    package let path: String

    package init(layout: CgroupLayout, path: String) {
        self.layout = layout
        self.path = path
    }

    package func directory(in hierarchy: CgroupHierarchy) -> FilePath { hierarchy.mountPoint / fullPath(in: hierarchy) }

    /// From the hierarchy's mount point.
    package func fullPath(in hierarchy: CgroupHierarchy) -> String { hierarchy.base + path }

    /// The directory whose files list and freeze all processes: v2's, or v1's freezer.
    private var controlDirectory: FilePath? {
        let hierarchy =
            layout.isUnifiedOnly
            ? layout.unified : layout.hierarchy(with: "freezer") ?? layout.unified ?? layout.hierarchies.first
        return hierarchy.map { directory(in: $0) }
    }

    // MARK: Making

    /// Fails if processes are in the cgroup already: it belongs to somebody else. In one that is frozen the container
    /// would stop at its first step.
    package func checkUnused() throws(SysError) {
        if isFrozen {
            let directory = freezerDirectory?.string ?? path
            throw SysError("use", directory, .busy, hint: "container's cgroup unexpectedly frozen")
        }
        guard let control = controlDirectory, let found = try? readText(control / "cgroup.procs"), !found.isEmpty else {
            return
        }
        throw SysError(
            "use", control.string, .busy, hint: "the container's cgroup is not empty: it has processes already")
    }

    /// Makes the directories.
    package func create() throws(SysError) {
        for hierarchy in layout.hierarchies {
            let path = directory(in: hierarchy)
            if mkdir(path.string, 0o755) != 0 { try makeDirectories(path) }
            if hierarchy.has("cpuset") { try inheritCPUSet(hierarchy) }
            if layout.isUnifiedOnly { enableControllers(hierarchy) }
        }
    }

    /// A new v1 cpuset has no CPU and no memory node, and no task may join it: take the parent's, from the top down.
    private func inheritCPUSet(_ hierarchy: CgroupHierarchy) throws(SysError) {
        var current = hierarchy.mountPoint
        for component in FilePath(fullPath(in: hierarchy)).components {
            let child = current / component
            for file in ["cpuset.cpus", "cpuset.mems"] where try readText(child / file).isEmpty {
                try writeText(child / file, try readText(current / file))
            }
            current = child
        }
    }

    /// Lets the container's cgroup have the controllers of its ancestors. What cannot be enabled is missed later, by
    /// the limit that needs it.
    private func enableControllers(_ hierarchy: CgroupHierarchy) {
        var current = hierarchy.mountPoint
        for component in FilePath(fullPath(in: hierarchy)).components {
            if let available = try? readText(current / "cgroup.controllers") {
                for controller in available.split(separator: " ") {
                    try? writeText(current / "cgroup.subtree_control", "+" + controller)
                }
            }
            current = current / component
        }
    }

    // MARK: Limits

    package func apply(_ resources: RuntimeResources) throws(SysError) {
        try checkUnified(resources)
        try write(settings(resources))
        try applyDevices(effectiveDeviceRules(resources.devices))
    }

    /// What is written to which file for these limits.
    package func settings(_ resources: RuntimeResources) -> [CgroupSetting] {
        layout.isUnifiedOnly ? settingsV2(resources) : settingsV1(resources)
    }

    private func checkUnified(_ resources: RuntimeResources) throws(SysError) {
        if layout.isUnifiedOnly || resources.unified.isEmpty { return }
        throw SysError(
            "set", "unified", .invalidArgument,
            hint: "invalid configuration: cannot use unified settings on cgroup v1")
    }

    /// Changes limits of a container that runs. After a failure the old ones are in force again, as far as they are
    /// known.
    ///
    /// - Parameters:
    ///   - changes: what to change; zero and empty leave a limit as it is.
    ///   - stored: the limits until now.
    package func update(_ changes: RuntimeResources, from stored: RuntimeResources) throws(SysError) {
        try checkUnified(changes)
        let complete = changes.limits.completed(by: stored)
        try checkUsage(changes.memory)
        do throws(SysError) { try write(settings(complete)) } catch {
            try? write(settings(stored))
            throw error
        }
    }

    /// cgroup v2 takes a limit below what is in use, and kills; with `checkBeforeUpdate` such a limit is refused.
    private func checkUsage(_ memory: RuntimeResources.Memory) throws(SysError) {
        guard memory.checksBeforeUpdate, layout.isUnifiedOnly, let limit = memory.limit, limit > 0 else { return }
        let usage = CgroupFigures(self).read().memory.usage.usage
        if usage > UInt64(limit) {
            throw SysError("set memory.limit to", String(limit), .busy, hint: "\(usage) bytes are in use")
        }
    }

    /// Writes settings, in an order that the kernel takes. Some are held against one another (memory against memory
    /// with swap, a CPU quota against its period and burst), and which must come first depends on the values until
    /// now: what is refused as invalid is tried again after the others.
    private func write(_ settings: [CgroupSetting]) throws(SysError) {
        var left = settings
        while true {
            var refused: [CgroupSetting] = []
            var failure: SysError?
            for setting in left {
                do throws(SysError) { try apply(setting) } catch {
                    guard error.errno == .invalidArgument else { throw error }
                    if failure == nil { failure = error }
                    refused.append(setting)
                }
            }
            guard let failure else { return }
            if refused.count == left.count { throw failure }
            left = refused
        }
    }

    private func apply(_ setting: CgroupSetting) throws(SysError) {
        let hierarchy = layout.isUnifiedOnly ? layout.unified : layout.hierarchy(with: setting.controller)
        guard let hierarchy else {
            if setting.isOptional { return }
            throw SysError(
                "set", setting.reason, .notSupported, hint: "the host has no cgroup controller " + setting.controller)
        }
        do throws(SysError) {
            guard isPlainName(setting.file) else { throw SysError("set", setting.file, .invalidArgument) }
            try writeText(directory(in: hierarchy) / setting.file, setting.value)
        } catch {
            if setting.isOptional, error.errno == .noSuchFile || error.errno == .accessDenied { return }
            throw SysError(
                "set " + setting.reason + " to " + setting.value + ":", error.subject, error.errno,
                hint: error.errno == .busy ? usageHint(setting) : nil)
        }
        if setting.file == "cpu.shares" { try checkShares(setting, directory(in: hierarchy) / setting.file) }
    }

    /// The kernel takes any number of shares and makes of it one that it can have; that is refused, as runc does.
    private func checkShares(_ setting: CgroupSetting, _ file: FilePath) throws(SysError) {
        guard let wanted = UInt64(setting.value), let set = UInt64(try readText(file)), wanted != set else { return }
        let bound = wanted < set ? "minimum" : "maximum"
        throw SysError("the \(bound) allowed cpu-shares is \(set)", "", .invalidArgument)
    }

    private func usageHint(_ setting: CgroupSetting) -> String? {
        guard setting.file == "memory.limit_in_bytes" else { return nil }
        let level = CgroupFigures(self).read().memory.usage
        return "current usage: \(level.usage), peak usage: \(level.peak)"
    }

    private func isPlainName(_ name: String) -> Bool { !name.isEmpty && !name.utf8.contains(UInt8(ascii: "/")) }

    private func applyDevices(_ rules: [RuntimeResources.DeviceRule]) throws(SysError) {
        if rules.isEmpty { return }
        if let devices = layout.hierarchy(with: "devices") {
            let directory = directory(in: devices)
            let allow = try open(directory / "devices.allow", O_WRONLY)
            let deny = try open(directory / "devices.deny", O_WRONLY)
            for rule in rules {
                for one in expandedForV1(rule) {
                    let text = Array(one.v1Text.utf8)
                    if one.isAllowed { try writeAll(allow, text) } else { try writeAll(deny, text) }
                }
            }
        } else if let unified = layout.unified {
            try attachDeviceFilter(DeviceFilter(rules), to: directory(in: unified))
        }
    }

    private func attachDeviceFilter(_ filter: DeviceFilter, to path: FilePath) throws(SysError) {
        let directory = try open(path, O_RDONLY | O_DIRECTORY)
        let program = OwnedFD(
            owning: try sys("bpf(BPF_PROG_LOAD)") {
                filter.bytes.withUnsafeBytes { swrun_bpf_load_device($0.baseAddress, UInt32(filter.instructionCount)) }
            })
        let numbers = (program.raw, directory.raw)
        try sys("bpf(BPF_PROG_ATTACH)", path.string) { swrun_bpf_attach_device(numbers.0, numbers.1) }
    }
}

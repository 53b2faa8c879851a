// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem

extension SpecBuilder {
    /// docker's file systems, our configuration files, then what the user asked for: parents before children. A
    /// mount of the user's at the same place replaces ours.
    func mounts() -> [JSONValue] {
        let wanted = input.mounts
        let isWanted = { (mount: JSONValue) in wanted.contains { $0.destination == mount["destination"]?.string } }
        var list = systemMounts().filter { !isWanted($0) }
        let files = input.configFiles.map { bind($0.source, $0.destination, writable: filesWritable) }
        // A volume over /dev would hide the nodes the runtime makes there, so what lies below goes with it.
        if wanted.contains(where: { $0.destination == "/dev" }) {
            list.removeAll { $0["destination"]?.string?.hasPrefix("/dev/") == true }
        }
        let system = list.count
        list += wanted.map { $0.specMount(recursively: input.host.mountsReadOnlyRecursively) }
        list += files.filter { !isWanted($0) }  // a volume at /etc does not hide them
        if let program = input.initProgram { list.append(bind(program, Self.initPath, writable: false)) }
        return Array(list[..<system]) + sortedByDepth(Array(list[system...]))
    }

    private var filesWritable: Bool { !input.hostConfig.flag("ReadonlyRootfs") }

    private func bind(_ source: String, _ destination: String, writable: Bool) -> JSONValue {
        [
            "destination": .string(destination), "type": "bind", "source": .string(source),
            "options": .strings(["rbind", writable ? "rw" : "ro", "rprivate"]),
        ]
    }

    private func systemMounts() -> [JSONValue] {
        let privileged = input.hostConfig.privileged
        let sysAccess = privileged ? "rw" : "ro"
        let cgroupAccess = privileged || input.security.writableCgroups ? "rw" : "ro"
        return [
            mount("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount(
                "/dev/pts", "devpts", "devpts",
                ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", sysAccess]),
            mount("/sys/fs/cgroup", "cgroup", "cgroup", [cgroupAccess, "nosuid", "noexec", "nodev"]),
            mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
        ] + sharedMemory()
    }

    private func sharedMemory() -> [JSONValue] {
        if input.hostConfig.text("IpcMode") == "none" { return [] }
        if let source = input.sharedMemorySource { return [bind(source, "/dev/shm", writable: true)] }
        let options = ["nosuid", "noexec", "nodev", "mode=1777", "size=\(input.shmSizeBytes)"]
        return [mount("/dev/shm", "tmpfs", "shm", options)]
    }

    private func mount(_ destination: String, _ type: String, _ source: String, _ options: [String]) -> JSONValue {
        [
            "destination": .string(destination), "type": .string(type), "source": .string(source),
            "options": .strings(options),
        ]
    }

    private func sortedByDepth(_ mounts: [JSONValue]) -> [JSONValue] {
        func depth(_ mount: JSONValue) -> Int { FilePath(mount["destination"]?.string ?? "").components.count }
        return mounts.enumerated().sorted { (depth($0.element), $0.offset) < (depth($1.element), $1.offset) }
            .map { $0.element }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Flags
import JSON
import LinuxSystem

var specCommand: Command {
    Command(
        name: "spec", help: "write a config.json to start from", usage: "",
        flags: [
            .string("bundle", short: "b", "the directory to write it to"),
            .bool("rootless", "for a container of the user who runs this"),
        ],
        arity: .exactly(0)
    ) { invocation throws(RuntimeError) in
        let bundle = invocation.values.string("bundle")
        let path = FilePath(bundle.isEmpty ? "." : bundle) / "config.json"
        if exists(path) {
            throw RuntimeError("File config.json exists. Remove it first")
        }
        try step("") { () throws(SysError) in
            let file = try open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666)
            try writeAll(file, exampleSpec(isRootless: invocation.values.bool("rootless")).bytes(.pretty))
        }
        return 0
    }
}

/// A shell in the directory `rootfs`, confined as containers usually are, with hardly any capability.
///
/// A user other than root has no cgroups and no network of the container's own, is root in it alone, and gets the host's
/// /sys, since a sysfs belongs to who owns the network.
private func exampleSpec(isRootless: Bool) -> JSONValue {
    [
        "ociVersion": .string(Version.runtimeSpec), "process": process,
        "root": ["path": "rootfs", "readonly": true], "hostname": "swrunc", "mounts": mounts(isRootless: isRootless),
        "linux": linux(isRootless: isRootless),
    ]
}

private func linux(isRootless: Bool) -> JSONValue {
    var linux: JSONValue = [:]
    if isRootless {
        linux.set("uidMappings", [["containerID": 0, "hostID": .int(Int64(geteuid())), "size": 1]])
        linux.set("gidMappings", [["containerID": 0, "hostID": .int(Int64(getegid())), "size": 1]])
    } else {
        linux.set("resources", ["devices": [["allow": false, "access": "rwm"]]])
    }
    linux.set("namespaces", .array(namespaces(isRootless: isRootless).map { ["type": .string($0)] }))
    linux.set(
        "maskedPaths",
        [
            "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
            "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
            "/sys/devices/virtual/powercap",
        ])
    linux.set("readonlyPaths", ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"])
    return linux
}

/// A view of its own of the cgroups is what version 2 is made for.
private func namespaces(isRootless: Bool) -> [String] {
    let isUnified = (try? CgroupLayout.detect().isUnifiedOnly) == true
    return ["pid", isRootless ? "user" : "network", "ipc", "uts", "mount"] + (isUnified ? ["cgroup"] : [])
}

private var process: JSONValue {
    let capabilities: JSONValue = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    return [
        "terminal": true, "user": ["uid": 0, "gid": 0], "args": ["sh"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"], "cwd": "/",
        "capabilities": ["bounding": capabilities, "effective": capabilities, "permitted": capabilities],
        "rlimits": [["type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024]], "noNewPrivileges": true,
    ]
}

private func mounts(isRootless: Bool) -> JSONValue {
    func mount(_ destination: String, _ type: String, _ source: String, _ options: [String]) -> JSONValue {
        var value: JSONValue = [
            "destination": .string(destination), "type": .string(type), "source": .string(source),
        ]
        if !options.isEmpty { value.set("options", .strings(options)) }
        return value
    }
    let restricted = ["nosuid", "noexec", "nodev"]
    return [
        mount("/proc", "proc", "proc", []),
        mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts", "devpts", "devpts",
            ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] + (isRootless ? [] : ["gid=5"])),
        mount("/dev/shm", "tmpfs", "shm", restricted + ["mode=1777", "size=65536k"]),
        mount("/dev/mqueue", "mqueue", "mqueue", restricted),
        isRootless
            ? mount("/sys", "none", "/sys", ["rbind"] + restricted + ["ro"])
            : mount("/sys", "sysfs", "sysfs", restricted + ["ro"]),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", restricted + ["relatime", "ro"]),
    ]
}

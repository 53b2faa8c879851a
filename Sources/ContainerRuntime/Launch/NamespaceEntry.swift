// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import OCISpec

/// Clones (`body`) inside other namespaces; then the launcher comes back, and the child stays. The launcher joins, not the
/// child: it still has the host's privileges when the child is already inside a user namespace; and a joined pid
/// namespace holds for children only. A new time namespace is made here as well, since its clocks can be set only as long
/// as nobody is in it (time_namespaces(7)).
func withJoinedNamespaces(
    _ joined: [NamespacePlan.Joined], newTime: [RuntimeLinux.TimeOffset]? = nil,
    _ body: () throws(RuntimeError) -> CloneResult
) throws(RuntimeError) -> CloneResult {
    var saved: [(fd: CInt, type: NamespaceFlags)] = []
    var isChild = false
    defer {
        for entry in saved.reversed() {
            if !isChild { _ = swrun_setns(entry.fd, CInt(truncatingIfNeeded: entry.type.rawValue)) }
            close(entry.fd)
        }
    }
    func save(_ type: NamespaceFlags, _ context: String) throws(RuntimeError) {
        let own = try step(context) { () throws(SysError) in
            try open(FilePath("/proc/self/ns/" + fileName(type)), O_RDONLY)
        }
        saved.append((own.relinquish(), type))
    }
    for namespace in joined {
        let context = "join the namespace " + namespace.path.string
        try save(namespace.type, context)
        try step(context) { () throws(SysError) in
            try joinNamespace(try open(namespace.path, O_RDONLY), namespace.type)
        }
    }
    if let newTime {
        try save(.time, "make a time namespace")
        try step("make a time namespace") { () throws(SysError) in try makeTimeNamespace(newTime) }
    }
    let result = try body()
    isChild = result.isChild
    return result
}

/// For the children to come.
private func makeTimeNamespace(_ offsets: [RuntimeLinux.TimeOffset]) throws(SysError) {
    try unshareNamespaces(.time)
    if offsets.isEmpty { return }
    let lines = offsets.map { $0.clock + " \($0.seconds) \($0.nanoseconds)\n" }
    try writeText(FilePath("/proc/self/timens_offsets"), lines.joined())
}

private func fileName(_ type: NamespaceFlags) -> String {
    switch type {
    case .network: "net"
    case .ipc: "ipc"
    case .uts: "uts"
    case .cgroup: "cgroup"
    case .pid: "pid"
    case .mount: "mnt"
    case .time: "time"
    default: "user"
    }
}

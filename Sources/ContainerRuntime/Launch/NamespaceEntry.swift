// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Clones (`body`) inside the namespaces that the plan joins; then the launcher comes back, and the child stays. The
/// launcher joins, not the child: it still has the host's privileges when the child is already inside a user namespace;
/// and a joined pid namespace holds for children only. The user namespace itself is joined by the child.
func withJoinedNamespaces(
    _ joined: [NamespacePlan.Joined], _ body: () throws(RuntimeError) -> CloneResult
) throws(RuntimeError) -> CloneResult {
    var saved: [(fd: CInt, type: NamespaceFlags)] = []
    var isChild = false
    defer {
        for entry in saved.reversed() {
            if !isChild { _ = swrun_setns(entry.fd, CInt(truncatingIfNeeded: entry.type.rawValue)) }
            close(entry.fd)
        }
    }
    for namespace in joined where namespace.type != .user {
        let context = "join the namespace " + namespace.path.string
        let own = try step(context) { () throws(SysError) in
            try open(FilePath("/proc/self/ns/" + fileName(namespace.type)), O_RDONLY)
        }
        try step(context) { () throws(SysError) in
            try joinNamespace(try open(namespace.path, O_RDONLY), namespace.type)
        }
        saved.append((own.relinquish(), namespace.type))
    }
    let result = try body()
    isChild = result.isChild
    return result
}

private func fileName(_ type: NamespaceFlags) -> String {
    switch type {
    case .network: "net"
    case .ipc: "ipc"
    case .uts: "uts"
    case .cgroup: "cgroup"
    case .pid: "pid"
    case .mount: "mnt"
    default: "user"
    }
}

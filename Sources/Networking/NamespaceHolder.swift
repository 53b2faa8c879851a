// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

/// Whose user namespace a container's network namespace belongs to: its root may bind low ports and set up links there.
package enum NetworkOwner: Sendable, Equatable {
    case host
    /// A new user namespace with these ids.
    case new(IdentityMap)
    /// The user namespace that this file stands for.
    case existing(FilePath)
}

/// A process that is nowhere but in a new network namespace and its user namespace, so that these can be mounted. It ends
/// with this value, or with its maker.
struct NamespaceHolder: ~Copyable {
    private let pid: pid_t

    static func start(_ owner: NetworkOwner) throws(SysError) -> NamespaceHolder {
        let ready = try Pipe()
        let holder: NamespaceHolder
        var map = IdentityMap()
        switch owner {
        case .host: holder = try start(.network, in: nil, ready.write)
        case .new(let wanted):
            holder = try start([.network, .user], in: nil, ready.write)
            map = wanted
        case .existing(let path): holder = try start(.network, in: try open(path, O_RDONLY), ready.write)
        }
        close(ready.write)
        try holder.awaitNamespaces(ready.read)
        if !map.isEmpty {
            try writeText(FilePath("/proc/\(holder.pid)/uid_map"), text(map.uids))
            try writeText(FilePath("/proc/\(holder.pid)/gid_map"), text(map.gids))
        }
        return holder
    }

    deinit {
        try? sendSignal(SIGKILL, to: pid)
        _ = try? waitForChild(pid)
    }

    /// Mounts a namespace (`net`, `user`) of the process on a file, which keeps it.
    borrowing func mount(_ kind: String, on file: FilePath) throws(SysError) {
        try LinuxSystem.mount("/proc/\(pid)/ns/\(kind)", on: file, type: "", flags: .bind)
    }

    private static func start(
        _ kinds: NamespaceFlags, in user: consuming OwnedFD?, _ ready: borrowing OwnedFD
    ) throws(SysError) -> NamespaceHolder {
        let number = ready.raw
        let joined = user?.raw ?? -1
        let flags = CInt(truncatingIfNeeded: kinds.rawValue)
        return NamespaceHolder(pid: try sys("clone3") { swrun_hold_namespaces(flags, joined, number) })
    }

    private borrowing func awaitNamespaces(_ ready: borrowing OwnedFD) throws(SysError) {
        let number = ready.raw
        var code: CInt = 0
        let count = try sys("read") { read(number, &code, MemoryLayout<CInt>.size) }
        guard count == MemoryLayout<CInt>.size, code == 0 else {
            throw SysError(
                "unshare", "", count == 0 ? .noSuchProcess : Errno(rawValue: code),
                hint: "user namespaces need CAP_SYS_ADMIN, and room below /proc/sys/user/max_user_namespaces")
        }
    }

    /// The content of uid_map and gid_map.
    private static func text(_ ranges: [IdentityMap.Range]) -> String {
        ranges.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
    }
}

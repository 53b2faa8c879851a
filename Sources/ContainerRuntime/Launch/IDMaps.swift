// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import OCISpec

/// User namespaces for id-mapped mounts: nobody is in them, they are their mappings (mount_setattr(2)).
struct IDMapNamespaces: ~Copyable {
    private var known: [(mapping: MountPlan.IDMapping, namespace: CInt)] = []  // owned

    deinit { for entry in known { close(entry.namespace) } }

    /// Maps a copy of a mount before it is attached.
    mutating func apply(
        _ mapping: MountPlan.IDMapping, of plan: ContainerPlan, to tree: borrowing MountTree, recursive: Bool
    ) throws(SysError) {
        let number = tree.fd.raw
        let namespace = try namespace(mapping, plan)
        try sys(
            "mount_setattr(MOUNT_ATTR_IDMAP)", "",
            hint: { $0 == .invalidArgument ? "does the file system support id-mapped mounts?" : nil },
            { swrun_mount_idmap(number, recursive ? 1 : 0, namespace) })
    }

    private mutating func namespace(_ mapping: MountPlan.IDMapping, _ plan: ContainerPlan) throws(SysError) -> CInt {
        if let found = known.first(where: { $0.mapping == mapping }) { return found.namespace }
        let made: OwnedFD
        if !mapping.uids.isEmpty {
            made = try makeUserNamespace(uids: mapping.uids, gids: mapping.gids)
        } else if let joined = plan.namespaces.joined.first(where: { $0.type == .user }) {
            made = try open(joined.path, O_RDONLY)
        } else {
            made = try makeUserNamespace(uids: plan.uidMappings, gids: plan.gidMappings)
        }
        let number = made.relinquish()
        known.append((mapping, number))
        return number
    }
}

private func makeUserNamespace(
    uids: [RuntimeLinux.IDMapping], gids: [RuntimeLinux.IDMapping]
) throws(SysError) -> OwnedFD {
    let gate = try Pipe()
    switch try cloneProcess(.user) {
    case .child:
        // Lives until its maker lets go of the gate, or dies.
        close(gate.write.raw)
        var byte: UInt8 = 0
        _ = read(gate.read.raw, &byte, 1)
        swrun_exit_now(0)
    case .parent(let pid, let process):
        defer {
            try? sendSignal(SIGKILL, to: process)
            _ = try? waitForChild(pid)
        }
        try writeText(FilePath("/proc/\(pid)/uid_map"), idMapText(uids))
        try writeText(FilePath("/proc/\(pid)/gid_map"), idMapText(gids))
        return try open(FilePath("/proc/\(pid)/ns/user"), O_RDONLY)
    }
}

/// The content of uid_map and gid_map.
func idMapText(_ mappings: [RuntimeLinux.IDMapping]) -> String {
    mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
}

/// Writes the id maps of a process that was made in a new user namespace (user_namespaces(7)). A user who is not root may
/// map no more than the own ids; what the administrator gave beyond those (subuid(5)) is mapped by newuidmap(1).
func writeIDMaps(_ plan: ContainerPlan, of pid: Int32) throws(RuntimeError) {
    let isUnprivileged = plan.privileges.isUnprivileged
    if isUnprivileged, isOwn(plan.gidMappings, id: getegid()) {
        try step("deny setgroups") { () throws(SysError) in
            try writeText(FilePath("/proc/\(pid)/setgroups"), "deny")
        }
    }
    for (file, tool, mappings) in [
        ("uid_map", "newuidmap", plan.uidMappings), ("gid_map", "newgidmap", plan.gidMappings),
    ] {
        do throws(SysError) {
            try writeText(FilePath("/proc/\(pid)/\(file)"), idMapText(mappings))
        } catch {
            guard isUnprivileged, error.errno == .notPermitted else {
                throw RuntimeError("write " + file + ": " + error.description)
            }
            try map(mappings, of: pid, by: tool)
        }
    }
}

private func isOwn(_ mappings: [RuntimeLinux.IDMapping], id: UInt32) -> Bool {
    mappings.count == 1 && mappings[0].hostID == id && mappings[0].size == 1
}

private func map(_ mappings: [RuntimeLinux.IDMapping], of pid: Int32, by tool: String) throws(RuntimeError) {
    let path = try findProgram(tool, path: Environment.value("PATH"))
    let numbers = mappings.flatMap { [$0.containerID, $0.hostID, $0.size] }
    let code = try step("run " + tool) { () throws(SysError) in
        let null = try open(FilePath("/dev/null"), O_RDONLY)
        let spawn = Spawn(
            FilePath(path), [String(pid)] + numbers.map { String($0) }, environment: Environment.current())
        return try waitForChild(try spawn.start(stdin: null.raw, stdout: 2, stderr: 2))
    }
    if code != 0 { throw RuntimeError("failed to use " + tool + " on \(pid): exit status \(code)") }
}

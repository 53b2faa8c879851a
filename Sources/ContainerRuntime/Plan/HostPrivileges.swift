// SPDX-License-Identifier: Apache-2.0
import CLinux
import Confinement
import LinuxSystem
import OCISpec

/// What whoever runs this program may do on the host.
package struct HostPrivileges: Sendable, Equatable {
    /// Not root: a container needs a user namespace, and everything that takes a privilege is done inside.
    package var isUnprivileged = false
    /// Perhaps root, but not of the host: there are no device nodes to make, and cgroups only where somebody allows it.
    package var isInUserNamespace = false
    /// The kernel lets nobody here drop groups (user_namespaces(7), "/proc/pid/setgroups").
    package var cannotSetGroups = false

    package init() {}

    /// This process's.
    package static func current() -> HostPrivileges {
        var privileges = HostPrivileges()
        privileges.isUnprivileged = geteuid() != 0
        let namespace = try? status(FilePath("/proc/self/ns/user"))
        privileges.isInUserNamespace = namespace.map { $0.st_ino != initialUserNamespace } ?? false
        privileges.cannotSetGroups =
            privileges.isUnprivileged
            || privileges.isInUserNamespace && (try? readText(FilePath("/proc/self/setgroups"))) == "deny"
        return privileges
    }
}

/// PROC_USER_INIT_INO
private let initialUserNamespace: UInt64 = 0xEFFF_FFFD

extension ContainerPlan {
    /// What a user other than root cannot have.
    func checkUnprivileged() throws(RuntimeError) {
        guard namespaces.isSeparate(.user) else { throw RuntimeError("rootless container requires user namespaces") }
        if namespaces.joins(.user) { return }
        for mount in spec.mounts {
            for option in mount.options {
                guard let (mappings, id) = owner(named: option) else { continue }
                if !mappings.contains(where: { id >= $0.containerID && id - $0.containerID < $0.size }) {
                    throw RuntimeError(
                        "cannot specify " + option + " mount option for rootless container: the id is not mapped")
                }
            }
        }
    }

    /// The id of a mount option such as `gid=5`, and what it would have to be mapped by.
    private func owner(named option: String) -> (mappings: [RuntimeLinux.IDMapping], id: UInt32)? {
        for (name, mappings) in [("uid=", uidMappings), ("gid=", gidMappings)] where option.hasPrefix(name) {
            return UInt32(option.dropFirst(name.utf8.count)).map { (mappings, $0) }
        }
        return nil
    }
}

extension ProcessPlan {
    /// Adjusts the process to who starts it.
    mutating func adjust(to privileges: HostPrivileges) throws(RuntimeError) {
        if privileges.isUnprivileged, !confinement.groups.isEmpty {
            throw RuntimeError("cannot set any additional groups in a rootless container")
        }
        confinement.keepsGroups = privileges.cannotSetGroups
    }
}

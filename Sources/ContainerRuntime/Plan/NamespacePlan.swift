// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import OCISpec

/// Which namespaces a container makes, joins, or leaves as the host's.
package struct NamespacePlan: Sendable, Equatable {
    package struct Joined: Sendable, Equatable {
        package var type: NamespaceFlags
        package var path: FilePath
    }

    package var new: NamespaceFlags = []
    package var joined: [Joined] = []

    package init(_ namespaces: [RuntimeLinux.Namespace]) throws(RuntimeError) {
        var seen: NamespaceFlags = []
        for namespace in namespaces {
            let flag = namespace.type.flag
            if !seen.isDisjoint(with: flag) {
                throw RuntimeError("malformed spec file: duplicated ns {\"" + namespace.type.rawValue + "\"}")
            }
            seen.formUnion(flag)
            if namespace.path.isEmpty {
                new.formUnion(flag)
            } else {
                joined.append(Joined(type: flag, path: FilePath(namespace.path)))
            }
        }
    }

    /// Made or joined: not the host's.
    package func isSeparate(_ type: NamespaceFlags) -> Bool {
        new.contains(type) || joined.contains { $0.type == type }
    }

    /// Those that are entered before the container's first process is made. The user namespace is joined by that process, and
    /// so is a mount namespace, which would take the launcher's root and working directory from it.
    package var joinedFromOutside: [Joined] { joined.filter { ![.user, .mount].contains($0.type) } }

    package func joins(_ type: NamespaceFlags) -> Bool { joined.contains { $0.type == type } }
}

extension RuntimeLinux.NamespaceType {
    package var flag: NamespaceFlags {
        switch self {
        case .user: .user
        case .cgroup: .cgroup
        case .ipc: .ipc
        case .uts: .uts
        case .network: .network
        case .pid: .pid
        case .mount: .mount
        case .time: .time
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The CLONE_NEW* bits (namespaces(7)).
package struct NamespaceFlags: OptionSet, Sendable, Equatable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let time = NamespaceFlags(rawValue: 0x80)
    package static let mount = NamespaceFlags(rawValue: 0x2_0000)
    package static let cgroup = NamespaceFlags(rawValue: 0x200_0000)
    package static let uts = NamespaceFlags(rawValue: 0x400_0000)
    package static let ipc = NamespaceFlags(rawValue: 0x800_0000)
    package static let user = NamespaceFlags(rawValue: 0x1000_0000)
    package static let pid = NamespaceFlags(rawValue: 0x2000_0000)
    package static let network = NamespaceFlags(rawValue: 0x4000_0000)
}

/// setns(2): joins the namespace that `fd` refers to, or those of the process if it is a pidfd.
package func joinNamespace(_ fd: borrowing OwnedFD, _ types: NamespaceFlags) throws(SysError) {
    let number = fd.raw
    try sys(
        "setns", "", hint: { $0 == .notPermitted ? "needs CAP_SYS_ADMIN in the owning user namespace" : nil },
        {
            swrun_setns(number, CInt(truncatingIfNeeded: types.rawValue))
        })
}

/// unshare(2) with CLONE_FS: the calling thread has a root and a working directory of its own, which joining a mount
/// namespace asks for in a process of several threads (setns(2)).
package func unshareDirectories() throws(SysError) {
    try sys("unshare") { swrun_unshare(0x200) }
}

/// unshare(2)
package func unshareNamespaces(_ types: NamespaceFlags) throws(SysError) {
    try sys("unshare") { swrun_unshare(CInt(truncatingIfNeeded: types.rawValue)) }
}

/// Which side of `cloneProcess` goes on.
package enum CloneResult: ~Copyable {
    /// The child: a copy of the whole program, with this one thread.
    case child
    case parent(pid: Int32, pidfd: OwnedFD)

    package var isChild: Bool {
        switch self {
        case .child: true
        case .parent: false
        }
    }
}

/// clone3(2) as fork, into new namespaces and, if given, into a cgroup2 directory. The program must have one thread.
/// With `asSibling` the child's parent is our parent.
package func cloneProcess(
    _ namespaces: NamespaceFlags, intoCgroup cgroup: CInt? = nil, asSibling: Bool = false
) throws(SysError) -> CloneResult {
    var pidfd: CInt = -1
    let flags = namespaces.rawValue | (asSibling ? 0x8000 : 0)
    let pid = try sys("clone3", hint: cloneHint) { swrun_clone3(flags, cgroup ?? -1, &pidfd) }
    if pid == 0 { return .child }
    return .parent(pid: pid, pidfd: OwnedFD(owning: pidfd))
}

private func cloneHint(_ errno: Errno) -> String? {
    switch errno {
    case .notPermitted: "needs CAP_SYS_ADMIN, or user namespaces that unprivileged users may make"
    case .invalidArgument: "does the kernel have these namespaces?"
    case .noSpace: "limit in /proc/sys/user reached"
    default: nil
    }
}

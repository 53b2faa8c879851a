// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Clones from within namespaces that this process itself must not enter, since there is no way back: a process between
/// enters them (`enter`) and makes the new one, which nevertheless becomes our child.
func cloneProcess(
    _ new: NamespaceFlags, intoCgroup cgroup: CInt?, after enter: () throws(SysError) -> Void
) throws(SysError) -> CloneResult {
    let report = try UnixSocket.pair()
    switch try cloneProcess([], intoCgroup: cgroup) {
    case .child: return try cloneFurther(new, report.second, enter)
    case .parent(let pid, _):
        close(report.second)
        let received = try receiveDescriptor(report.first)
        _ = try waitForChild(pid)
        guard let pidfd = received else { throw SysError("setns", "", .notPermitted) }
        return .parent(pid: try processNumber(pidfd), pidfd: pidfd)
    }
}

/// In the process between. A number would mean nothing to the launcher: this process may be in another pid namespace.
private func cloneFurther(
    _ new: NamespaceFlags, _ report: borrowing OwnedFD, _ enter: () throws(SysError) -> Void
) throws(SysError) -> CloneResult {
    guard (try? enter()) != nil, let result = try? cloneProcess(new, asSibling: true) else {
        swrun_exit_now(1)
    }
    switch consume result {
    case .child: return .child
    case .parent(_, let pidfd):
        var descriptor = pidfd.relinquish()  // open until the message is sent
        var byte: UInt8 = 0
        _ = swrun_send_fds(report.raw, &byte, 1, &descriptor, 1)
        swrun_exit_now(0)
    }
}

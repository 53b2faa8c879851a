// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// Waits for one child and returns its exit code, or 128 + the signal that ended it. A child that is still running
/// after the timeout is killed.
package func waitForChild(_ pid: pid_t, timeoutMilliseconds: CInt) throws(SysError) -> CInt {
    let pidfd = OwnedFD(owning: try sys("pidfd_open", String(pid)) { swrun_pidfd_open(pid, 0) })
    var poll = pollfd(fd: pidfd.raw, events: Int16(POLLIN), revents: 0)
    let ready = try sys("poll") { CLinux.poll(&poll, 1, timeoutMilliseconds) }
    if ready == 0 { kill(pid, SIGKILL) }
    var status: CInt = 0
    try sys("waitpid", String(pid)) { waitpid(pid, &status, 0) }
    return swrun_wifexited(status) != 0 ? swrun_wexitstatus(status) : 128 + swrun_wtermsig(status)
}

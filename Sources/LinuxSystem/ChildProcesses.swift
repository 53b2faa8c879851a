// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// A child that has ended.
package struct EndedChild: Sendable, Equatable {
    package var pid: pid_t
    /// The exit code, or 128 + the signal that ended it, as shells and all container programs report it.
    package var code: CInt
}

/// Collects one ended child of any kind (waitpid(2) with WNOHANG); nil when there is none now.
package func reapChild() -> EndedChild? {
    while true {
        var status: CInt = 0
        let pid = waitpid(-1, &status, WNOHANG)
        if pid > 0 {
            let code = swrun_wifexited(status) != 0 ? swrun_wexitstatus(status) : 128 + swrun_wtermsig(status)
            return EndedChild(pid: pid, code: code)
        }
        guard pid < 0, Errno.current == .interrupted else { return nil }
    }
}

/// Makes orphaned descendants our children instead of init's (prctl(2), PR_SET_CHILD_SUBREAPER).
package func becomeSubreaper() throws(SysError) {
    try sys("prctl(PR_SET_CHILD_SUBREAPER)") { swrun_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }
}

// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// SIGTERM, SIGINT and SIGHUP, blocked for every thread that is started later, and taken by the one that waits here.
struct StopSignals {
    init() {
        var set = Self.signals
        pthread_sigmask(SIG_BLOCK, &set, nil)
        ignoreSignal(SIGPIPE)
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        return set
    }

    /// Calls `reload` at each SIGHUP and `stop` at the first other signal; at the third one the process ends without
    /// further ado.
    func waitForever(reload: () -> Void, stop: () -> Void) -> Never {
        var set = Self.signals
        var count = 0
        while true {
            var number: CInt = 0
            guard sigwait(&set, &number) == 0 else { continue }
            if number == SIGHUP {
                reload()
                continue
            }
            count += 1
            if count == 1 { stop() }
            if count == 3 { _exit(128 + number) }
        }
    }
}

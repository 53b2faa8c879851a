// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// A signalfd(2): signals as readable data instead of interruptions.
package struct SignalDescriptor: ~Copyable {
    private let descriptor: OwnedFD

    /// Blocks every signal that can be blocked and makes them readable here. Signals of the processor's own faults
    /// (SIGSEGV and its kin) stay as they are: a fault must end the program.
    package init(nonBlocking: Bool) throws(SysError) {
        var mask = sigset_t()
        sigfillset(&mask)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&mask, fault) }
        let flags: CInt = 0o2000000 | (nonBlocking ? 0o4000 : 0)  // SFD_CLOEXEC, SFD_NONBLOCK
        try sys("sigprocmask") { sigprocmask(SIG_SETMASK, &mask, nil) }
        descriptor = OwnedFD(owning: try sys("signalfd") { signalfd(-1, &mask, flags) })
    }

    /// Blocks `signals` as well, and makes just these readable here; the others stay as they are.
    package init(only signals: [CInt]) throws(SysError) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in signals { sigaddset(&mask, signal) }
        try sys("sigprocmask") { sigprocmask(SIG_BLOCK, &mask, nil) }
        let flags: CInt = 0o2000000 | 0o4000  // SFD_CLOEXEC, SFD_NONBLOCK
        descriptor = OwnedFD(owning: try sys("signalfd") { signalfd(-1, &mask, flags) })
    }

    package var raw: CInt { descriptor.raw }

    /// The next signal's number, or nil when there is none now.
    package borrowing func next() -> CInt? {
        let number = descriptor.raw
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while true {
            let result = read(number, &info, size)
            if result == size { return CInt(bitPattern: info.ssi_signo) }
            guard result < 0, Errno.current == .interrupted else { return nil }
        }
    }
}

/// The signals that a thread has blocked.
package struct SignalMask {
    private let blocked: sigset_t

    /// What is blocked now.
    package static var current: SignalMask {
        var mask = sigset_t()
        _ = sigprocmask(SIG_BLOCK, nil, &mask)
        return SignalMask(blocked: mask)
    }

    /// Blocks these signals again, and no others.
    package func restore() {
        var mask = blocked
        _ = sigprocmask(SIG_SETMASK, &mask, nil)
    }
}

/// kill(2)
package func sendSignal(_ signal: CInt, to pid: pid_t) throws(SysError) {
    try sys("kill", String(pid)) { kill(pid, signal) }
}

/// The process ignores `signal` from now on (signal(2)).
package func ignoreSignal(_ signal: CInt) { _ = swrun_ignore_signal(signal) }

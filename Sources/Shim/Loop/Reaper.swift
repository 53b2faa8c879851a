// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Collects every child that ends: runtime commands, containers' processes, and orphans of containers, which the
/// kernel gives to us because we are a subreaper.
final class Reaper {
    private struct Waiter {
        var pid: pid_t
        var action: (CInt, Timestamp) -> Void
    }

    private struct Unclaimed {
        var child: EndedChild
        var time: Timestamp
    }

    private let signals: SignalDescriptor
    private var waiters: [Waiter] = []
    /// Children that ended while their pid may still be on its way to us in a pid file.
    private var unclaimed: [Unclaimed] = []
    private var expectations = 0

    /// Called for SIGTERM, SIGINT and the like, which never end the shim by themselves.
    var onTerminate: (() -> Void)?

    init(loop: EventLoop) throws(SysError) {
        try becomeSubreaper()
        signals = try SignalDescriptor(nonBlocking: true)
        _ = try loop.watch(signals.raw, .readable) { [self] _ in drainSignals() }
    }

    /// Calls `action` once with the exit code when `pid` has ended, or soon if it already has.
    func wait(_ pid: pid_t, _ action: @escaping (CInt, Timestamp) -> Void) {
        if let index = unclaimed.firstIndex(where: { $0.child.pid == pid }) {
            let ended = unclaimed.remove(at: index)
            action(ended.child.code, ended.time)
        } else {
            waiters.append(Waiter(pid: pid, action: action))
        }
    }

    /// From now on the end of an unknown child is remembered, since its pid may become known later (a runtime writes
    /// the pid file before it exits, and the process may be over even before that).
    func beginExpecting() { expectations += 1 }

    func endExpecting() {
        expectations -= 1
        if expectations == 0 { unclaimed = [] }
    }

    private func drainSignals() {
        while let signal = signals.next() {
            if signal == SIGTERM || signal == SIGINT { onTerminate?() }
        }
        while let child = reapChild() { dispatch(child, .now) }
    }

    private func dispatch(_ child: EndedChild, _ time: Timestamp) {
        if let index = waiters.firstIndex(where: { $0.pid == child.pid }) {
            waiters.remove(at: index).action(child.code, time)
        } else if expectations > 0 {
            unclaimed.append(Unclaimed(child: child, time: time))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import ShimAPI

/// The life of a container's init process, as a value that decides; `TaskService` performs the actions.
///
///     creating ─▶ created ─▶ starting ─▶ running ◀─▶ paused
///        │           │           │        ▲ │           │
///        │           └───────────┴────────┼─┴───────────┴──▶ exited ─▶ stopped ─▶ deleted
///        └─▶ restorable ─▶ restoring ─────┘
///
/// `exited` is a process that is gone but whose output is still being written; the exit is published when all of it is.
struct TaskState: Sendable, Equatable {
    enum Phase: Sendable, Equatable {
        case creating
        case created(pid: Int32)
        /// There is a checkpoint to make init of, and no process yet.
        case restorable
        case restoring
        /// The runtime is letting init go.
        case starting(pid: Int32)
        /// Over before the runtime's `start` has returned: the start is to be published before the exit.
        case exitedWhileStarting(pid: Int32, ExitStatus)
        case running(pid: Int32)
        case paused(pid: Int32)
        case exited(pid: Int32, ExitStatus)
        case stopped(pid: Int32, ExitStatus)
        case deleted
    }

    enum Event: Sendable, Equatable {
        // Asked for by a client.
        case start, pause, resume, checkpoint, delete
        case kill(signal: Int32, all: Bool)
        // Reported by the runtime, the kernel or the output's end.
        case created(pid: Int32), createFailed, started, startFailed, paused, resumed, deleted, drained
        case hasCheckpoint, restored(pid: Int32), restoreFailed(ExitStatus)
        case exited(ExitStatus)
    }

    enum Action: Sendable, Equatable {
        case runtimeStart, runtimeRestore, runtimePause, runtimeResume, runtimeCheckpoint, runtimeDelete
        case runtimeKill(signal: Int32, all: Bool)
        case signal(pid: Int32, Int32)
        /// Finish writing the output, then report `drained`.
        case drain
        case publish(Publication)
        /// The deletion has to wait for the exit.
        case deleteOnceStopped
    }

    enum Publication: Sendable, Equatable {
        case create(pid: Int32), start(pid: Int32), paused, resumed
        case exit(pid: Int32, ExitStatus), delete(pid: Int32, ExitStatus)
    }

    struct IllegalTransition: Error, Equatable, Sendable {
        var from: Phase
        var event: Event
    }

    private(set) var phase: Phase

    init(phase: Phase = .creating) { self.phase = phase }

    mutating func on(_ event: Event) throws(IllegalTransition) -> [Action] {
        switch event {
        case .created, .createFailed, .start, .started, .startFailed: try onStart(event)
        case .hasCheckpoint, .restored, .restoreFailed: try onRestore(event)
        case .pause, .paused, .resume, .resumed, .checkpoint: try onPause(event)
        case .kill(let signal, let all): try onKill(signal, all: all)
        case .exited, .drained, .delete, .deleted: try onEnd(event)
        }
    }

    private mutating func onStart(_ event: Event) throws(IllegalTransition) -> [Action] {
        switch (phase, event) {
        case (.creating, .created(let pid)):
            phase = .created(pid: pid)
            return [.publish(.create(pid: pid))]
        case (.creating, .createFailed):
            phase = .deleted
            return []
        case (.created(let pid), .start):
            phase = .starting(pid: pid)
            return [.runtimeStart]
        case (.restorable, .start):
            phase = .restoring
            return [.runtimeRestore]
        case (.starting(let pid), .started):
            phase = .running(pid: pid)
            return [.publish(.start(pid: pid))]
        case (.starting(let pid), .startFailed):
            phase = .created(pid: pid)
            return []
        case (.exitedWhileStarting(let pid, let exit), .started):
            phase = .exited(pid: pid, exit)
            return [.publish(.start(pid: pid)), .drain]
        case (.exitedWhileStarting(let pid, let exit), .startFailed):
            phase = .exited(pid: pid, exit)
            return [.drain]
        default: throw refused(event)
        }
    }

    private mutating func onRestore(_ event: Event) throws(IllegalTransition) -> [Action] {
        switch (phase, event) {
        case (.creating, .hasCheckpoint):
            phase = .restorable
            return [.publish(.create(pid: 0))]
        case (.restoring, .restored(let pid)):
            phase = .running(pid: pid)
            return [.publish(.start(pid: pid))]
        case (.restoring, .restoreFailed(let exit)):
            phase = .exited(pid: 0, exit)
            return [.drain]
        default: throw refused(event)
        }
    }

    private mutating func onPause(_ event: Event) throws(IllegalTransition) -> [Action] {
        switch (phase, event) {
        case (.running, .checkpoint), (.paused, .checkpoint): return [.runtimeCheckpoint]
        case (.running, .pause): return [.runtimePause]
        case (.paused, .resume): return [.runtimeResume]
        case (.running(let pid), .paused):
            phase = .paused(pid: pid)
            return [.publish(.paused)]
        case (.paused(let pid), .resumed):
            phase = .running(pid: pid)
            return [.publish(.resumed)]
        case (.exited, .paused), (.exited, .resumed), (.stopped, .paused), (.stopped, .resumed):
            return []  // it ended while the runtime was at it
        default: throw refused(event)
        }
    }

    private mutating func onKill(_ signal: Int32, all: Bool) throws(IllegalTransition) -> [Action] {
        switch phase {
        case .created(let pid), .starting(let pid), .running(let pid):
            return [all ? .runtimeKill(signal: signal, all: true) : .signal(pid: pid, signal)]
        case .paused:
            return [.runtimeKill(signal: signal, all: all)]  // the runtime knows how to reach frozen processes
        case .exited where all, .stopped where all:
            return [.runtimeKill(signal: signal, all: true)]  // processes that share init's namespaces may be left
        case .restorable:  // there is no process to kill
            phase = .exited(pid: 0, ExitStatus(code: UInt32(128 + signal), exitedAt: Timestamp(nanoseconds: 0)))
            return [.drain]
        case .creating, .restoring, .exitedWhileStarting, .exited, .stopped, .deleted:
            throw refused(.kill(signal: signal, all: all))
        }
    }

    private mutating func onEnd(_ event: Event) throws(IllegalTransition) -> [Action] {
        switch (phase, event) {
        case (.starting(let pid), .exited(let exit)):
            phase = .exitedWhileStarting(pid: pid, exit)
            return []
        case (.created(let pid), .exited(let exit)), (.running(let pid), .exited(let exit)),
            (.paused(let pid), .exited(let exit)):
            phase = .exited(pid: pid, exit)
            return [.drain]
        case (.exited(let pid, let exit), .drained):
            phase = .stopped(pid: pid, exit)
            return [.publish(.exit(pid: pid, exit))]
        case (.created(let pid), .delete): return [.signal(pid: pid, 9), .deleteOnceStopped]
        case (.restorable, .delete):
            phase = .exited(pid: 0, ExitStatus(code: 137, exitedAt: Timestamp(nanoseconds: 0)))
            return [.deleteOnceStopped, .drain]
        case (.exited, .delete), (.exitedWhileStarting, .delete): return [.deleteOnceStopped]
        case (.stopped, .delete): return [.runtimeDelete]
        case (.stopped(let pid, let exit), .deleted):
            phase = .deleted
            return [.publish(.delete(pid: pid, exit))]
        default: throw refused(event)
        }
    }

    private func refused(_ event: Event) -> IllegalTransition { IllegalTransition(from: phase, event: event) }
}

// SPDX-License-Identifier: Apache-2.0
import ShimAPI

/// The life of an extra process of a task: added by Exec, run by Start, as a value that decides.
struct ExecState: Sendable, Equatable {
    enum Phase: Sendable, Equatable {
        case added
        case starting
        case running(pid: Int32)
        case exited(pid: Int32, ExitStatus)
        case stopped(pid: Int32, ExitStatus)
        case deleted
    }

    enum Event: Sendable, Equatable {
        case start, delete, kill(signal: Int32)
        case started(pid: Int32), startFailed(ExitStatus), exited(ExitStatus), drained
    }

    enum Action: Sendable, Equatable {
        case runtimeExec
        case signal(pid: Int32, Int32)
        case drain
        case publishStart(pid: Int32)
        case publishExit(pid: Int32, ExitStatus)
        /// Nothing ever ran: end the streams and answer who waits, but there is no exit to publish.
        case endWithoutProcess(ExitStatus)
        case remove
        case deleteOnceStopped
    }

    struct IllegalTransition: Error, Equatable, Sendable {
        var from: Phase
        var event: Event
    }

    private(set) var phase: Phase

    init(phase: Phase = .added) { self.phase = phase }

    mutating func on(_ event: Event) throws(IllegalTransition) -> [Action] {
        switch (phase, event) {
        case (.added, .start):
            phase = .starting
            return [.runtimeExec]
        case (.starting, .started(let pid)):
            phase = .running(pid: pid)
            return [.publishStart(pid: pid)]
        case (.starting, .startFailed(let exit)):
            phase = .stopped(pid: 0, exit)
            return [.endWithoutProcess(exit)]
        case (.running(let pid), .kill(let signal)): return [.signal(pid: pid, signal)]
        case (.running(let pid), .exited(let exit)):
            phase = .exited(pid: pid, exit)
            return [.drain]
        case (.exited(let pid, let exit), .drained):
            phase = .stopped(pid: pid, exit)
            return [.publishExit(pid: pid, exit)]
        case (.exited, .delete): return [.deleteOnceStopped]
        case (.added, .delete), (.stopped, .delete):
            phase = .deleted
            return [.remove]
        default: throw IllegalTransition(from: phase, event: event)
        }
    }
}

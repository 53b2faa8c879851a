// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// Where a container is in its life, and what may happen to it next. A value that decides; `ContainerService` acts.
///
/// docker's booleans (Running, Paused, …) are computed from the phase and so cannot contradict each other.
package struct ContainerState: Sendable, Equatable {
    package enum Phase: Sendable, Equatable {
        case created
        case running(Run)
        case paused(Run)
        /// Ended, and the restart policy will start it again.
        case restarting(Exit)
        case exited(Exit)
        /// Being removed; survives a crash of the daemon, which then ends the removal.
        case removing(Exit?)
        /// A removal that failed: nothing but another removal is possible.
        case dead(Exit?)
    }

    package struct Run: Sendable, Equatable {
        package var pid: Int32
        package var startedAt: Timestamp
        /// The kernel has killed a process of it for want of memory, not necessarily the first one.
        package var oomKilled = false

        package init(pid: Int32, startedAt: Timestamp) {
            self.pid = pid
            self.startedAt = startedAt
        }
    }

    package struct Exit: Sendable, Equatable {
        package var code: Int32
        package var finishedAt: Timestamp
        /// nil if the process never started.
        package var startedAt: Timestamp?
        /// Why the start failed.
        package var message = ""
        package var oomKilled = false

        package init(code: Int32, finishedAt: Timestamp, startedAt: Timestamp?, message: String = "") {
            self.code = code
            self.finishedAt = finishedAt
            self.startedAt = startedAt
            self.message = message
        }
    }

    package enum Event: Sendable, Equatable {
        case started(Run)
        case startFailed(code: Int32, message: String, at: Timestamp)
        case paused
        case resumed
        case outOfMemory
        case exited(code: Int32, at: Timestamp, oomKilled: Bool)
        /// The restart policy wants another start after this exit.
        case restartPlanned
        /// The planned restart was called off.
        case restartCancelled
        case removalStarted
        case removalFailed
    }

    package struct IllegalTransition: Error, Equatable {
        package var from: Phase
        package var event: Event
    }

    package var phase: Phase

    package init(phase: Phase = .created) { self.phase = phase }

    package mutating func on(_ event: Event) throws(IllegalTransition) {
        switch (phase, event) {
        case (.created, .started(let run)), (.exited, .started(let run)), (.restarting, .started(let run)):
            phase = .running(run)
        case (.created, .startFailed(let code, let message, let at)),
            (.exited, .startFailed(let code, let message, let at)),
            (.restarting, .startFailed(let code, let message, let at)):
            phase = .exited(Exit(code: code, finishedAt: at, startedAt: lastStart, message: message))
        case (.running(let run), .paused): phase = .paused(run)
        case (.paused(let run), .resumed): phase = .running(run)
        case (.running(var run), .outOfMemory):
            run.oomKilled = true
            phase = .running(run)
        case (.paused(var run), .outOfMemory):
            run.oomKilled = true
            phase = .paused(run)
        case (.running(let run), .exited(let code, let at, let oom)),
            (.paused(let run), .exited(let code, let at, let oom)):
            var exit = Exit(code: code, finishedAt: at, startedAt: run.startedAt)
            exit.oomKilled = oom || run.oomKilled
            phase = .exited(exit)
        case (.exited(let exit), .restartPlanned): phase = .restarting(exit)
        case (.restarting(let exit), .restartCancelled): phase = .exited(exit)
        case (.created, .removalStarted), (.exited, .removalStarted), (.restarting, .removalStarted),
            (.dead, .removalStarted):
            phase = .removing(lastExit)
        case (.removing(let exit), .removalFailed): phase = .dead(exit)
        default: throw IllegalTransition(from: phase, event: event)
        }
    }
}

// MARK: What docker shows

extension ContainerState {
    package var run: Run? {
        switch phase {
        case .running(let run), .paused(let run): run
        default: nil
        }
    }

    package var lastExit: Exit? {
        switch phase {
        case .restarting(let exit), .exited(let exit): exit
        case .removing(let exit), .dead(let exit): exit
        default: nil
        }
    }

    package var lastStart: Timestamp? { run?.startedAt ?? lastExit?.startedAt }
    package var pid: Int32 { run?.pid ?? 0 }
    package var oomKilled: Bool { run?.oomKilled ?? lastExit?.oomKilled ?? false }
    package var exitCode: Int32 { lastExit?.code ?? 0 }

    /// A process exists: also while it is paused.
    package var isRunning: Bool { run != nil }

    package var isPaused: Bool {
        if case .paused = phase { return true }
        return false
    }

    package var isRestarting: Bool {
        if case .restarting = phase { return true }
        return false
    }

    package var isRemoving: Bool {
        if case .removing = phase { return true }
        return false
    }

    package var isDead: Bool {
        if case .dead = phase { return true }
        return false
    }

    /// docker's word for the phase; what could never be started is still `created`.
    package var name: String {
        switch phase {
        case .created: "created"
        case .running: "running"
        case .paused: "paused"
        case .restarting: "restarting"
        case .exited(let exit): exit.startedAt == nil ? "created" : "exited"
        case .removing: "removing"
        case .dead: "dead"
        }
    }

    package static let names = ["created", "running", "paused", "restarting", "removing", "exited", "dead"]
}

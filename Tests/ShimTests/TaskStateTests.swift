// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import ShimAPI
import TTRPC
import Testing

@testable import Shim

private let exit = ExitStatus(code: 3, exitedAt: Timestamp(nanoseconds: 1))

@Suite("State of a task")
struct TaskStateTests {
    typealias Action = TaskState.Action

    static let phases: [TaskState.Phase] = [
        .creating, .restorable, .restoring, .created(pid: 7), .starting(pid: 7), .exitedWhileStarting(pid: 7, exit),
        .running(pid: 7),
        .paused(pid: 7), .exited(pid: 7, exit), .stopped(pid: 7, exit), .deleted,
    ]
    static let events: [TaskState.Event] = [
        .start, .pause, .resume, .delete, .kill(signal: 9, all: false), .kill(signal: 9, all: true), .created(pid: 7),
        .createFailed, .started, .startFailed, .paused, .resumed, .deleted, .drained, .exited(exit), .checkpoint,
        .hasCheckpoint, .restored(pid: 7), .restoreFailed(exit),
    ]

    @Test("every pair of phase and event is decided", arguments: phases, events)
    func total(phase: TaskState.Phase, event: TaskState.Event) {
        var state = TaskState(phase: phase)
        do { _ = try state.on(event) } catch {
            #expect(state.phase == phase, "a refused event must not change the state")
            #expect(error == TaskState.IllegalTransition(from: phase, event: event))
            #expect(error.status.code != .ok && !error.status.message.isEmpty)
        }
    }

    @Test("what the kernel reports is never refused while it is possible", arguments: phases)
    func exits(phase: TaskState.Phase) throws {
        var state = TaskState(phase: phase)
        switch phase {
        case .created, .starting, .running, .paused: _ = try state.on(.exited(exit))
        default: #expect(throws: TaskState.IllegalTransition.self) { try state.on(.exited(exit)) }
        }
    }

    @Test("an ordinary life")
    func life() throws {
        let actions = try play([.created(pid: 7), .start, .started, .exited(exit), .drained, .delete, .deleted])
        #expect(
            actions == [
                .publish(.create(pid: 7)), .runtimeStart, .publish(.start(pid: 7)), .drain,
                .publish(.exit(pid: 7, exit)), .runtimeDelete, .publish(.delete(pid: 7, exit)),
            ])
    }

    @Test("a life that begins with a checkpoint")
    func restored() throws {
        let actions = try play([.hasCheckpoint, .start, .restored(pid: 7), .checkpoint, .exited(exit)])
        #expect(
            actions == [
                .publish(.create(pid: 0)), .runtimeRestore, .publish(.start(pid: 7)), .runtimeCheckpoint, .drain,
            ])
    }

    @Test("a restore that fails ends the task")
    func notRestored() throws {
        let actions = try play([.hasCheckpoint, .start, .restoreFailed(exit), .drained, .delete])
        #expect(
            actions == [
                .publish(.create(pid: 0)), .runtimeRestore, .drain, .publish(.exit(pid: 0, exit)), .runtimeDelete,
            ])
    }

    @Test("before it is restored it can be killed and deleted, though there is no process")
    func neverRestored() throws {
        let never = ExitStatus(code: 137, exitedAt: Timestamp(nanoseconds: 0))
        var killed = TaskState(phase: .restorable)
        #expect(try killed.on(.kill(signal: 9, all: false)) == [.drain])
        #expect(try killed.on(.drained) == [.publish(.exit(pid: 0, never))])
        var deleted = TaskState(phase: .restorable)
        #expect(try deleted.on(.delete) == [.deleteOnceStopped, .drain])
        #expect(try deleted.on(.drained) == [.publish(.exit(pid: 0, never))])
    }

    @Test("an exit before the start has returned is published after the start")
    func quickExit() throws {
        let actions = try play([.created(pid: 7), .start, .exited(exit), .started, .drained])
        #expect(
            actions == [
                .publish(.create(pid: 7)), .runtimeStart, .publish(.start(pid: 7)), .drain,
                .publish(.exit(pid: 7, exit)),
            ])
    }

    @Test("a failed start may be tried again")
    func failedStart() throws {
        let actions = try play([.created(pid: 7), .start, .startFailed, .start])
        #expect(actions == [.publish(.create(pid: 7)), .runtimeStart, .runtimeStart])
    }

    @Test("a pause that the exit overtook changes nothing")
    func exitDuringPause() throws {
        let actions = try play([.created(pid: 7), .start, .started, .pause, .exited(exit), .paused, .drained])
        #expect(Array(actions.suffix(3)) == [.runtimePause, .drain, .publish(.exit(pid: 7, exit))])
    }

    @Test("deleting what was never started kills it first")
    func deleteCreated() throws {
        let actions = try play([.created(pid: 7), .delete, .exited(exit), .drained, .delete])
        #expect(
            actions == [
                .publish(.create(pid: 7)), .signal(pid: 7, 9), .deleteOnceStopped, .drain,
                .publish(.exit(pid: 7, exit)), .runtimeDelete,
            ])
    }

    @Test("a signal goes straight to init, to frozen or to all processes through the runtime")
    func signals() throws {
        var running = TaskState(phase: .running(pid: 7))
        #expect(try running.on(.kill(signal: 15, all: false)) == [.signal(pid: 7, 15)])
        #expect(try running.on(.kill(signal: 15, all: true)) == [.runtimeKill(signal: 15, all: true)])
        var paused = TaskState(phase: .paused(pid: 7))
        #expect(try paused.on(.kill(signal: 9, all: false)) == [.runtimeKill(signal: 9, all: false)])
    }

    private func play(_ events: [TaskState.Event]) throws -> [Action] {
        var state = TaskState()
        return try events.flatMap { try state.on($0) }
    }
}

@Suite("State of an exec")
struct ExecStateTests {
    static let phases: [ExecState.Phase] = [
        .added, .starting, .running(pid: 7), .exited(pid: 7, exit), .stopped(pid: 7, exit), .deleted,
    ]
    static let events: [ExecState.Event] = [
        .start, .delete, .kill(signal: 9), .started(pid: 7), .startFailed(exit), .exited(exit), .drained,
    ]

    @Test("every pair of phase and event is decided", arguments: phases, events)
    func total(phase: ExecState.Phase, event: ExecState.Event) {
        var state = ExecState(phase: phase)
        do { _ = try state.on(event) } catch {
            #expect(state.phase == phase, "a refused event must not change the state")
            #expect(error.status.code != .ok && !error.status.message.isEmpty)
        }
    }

    @Test("an ordinary life")
    func life() throws {
        var state = ExecState()
        let events: [ExecState.Event] = [.start, .started(pid: 7), .exited(exit), .delete, .drained, .delete]
        #expect(
            try events.flatMap { try state.on($0) } == [
                .runtimeExec, .publishStart(pid: 7), .drain, .deleteOnceStopped, .publishExit(pid: 7, exit), .remove,
            ])
    }

    @Test("one that could not be started is over, without an event")
    func failedStart() throws {
        var state = ExecState()
        let actions = try [.start, .startFailed(exit)].flatMap { try state.on($0) }
        #expect(actions == [.runtimeExec, .endWithoutProcess(exit)])
        #expect(try state.on(.delete) == [.remove])
    }
}

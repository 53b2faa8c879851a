// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Synchronization

/// One container while the daemon runs: its record, those who wait for it, and the queue of its operations.
///
/// The record is read without waiting for anything: `ps` and `inspect` answer while a start or a removal hangs.
package final class Container: Sendable {
    /// What a client may wait for.
    package enum WaitCondition: String, Sendable {
        case notRunning = "not-running"
        case nextExit = "next-exit"
        case removed
    }

    struct Waiter {
        var id: UInt64
        var condition: WaitCondition
        var continuation: AsyncStream<WaitResult>.Continuation
    }

    /// A client that attached before the start: it is connected between the making and the start of the process.
    struct PendingAttach {
        var id: UInt64
        var flags: AttachConnection.Flags
        var continuation: AsyncStream<AttachConnection>.Continuation
    }

    private struct Inner {
        var record: ContainerRecord
        var waiters: [Waiter] = []
        var pending: [PendingAttach] = []
        /// The shim of a start takes attachments, though the process may not run yet.
        var isAttachable = false
        var nextID: UInt64 = 0
        /// Ends the wait before a planned restart.
        var restart: Task<Void, any Error>?
        var execs: [String] = []
        /// The last run has ended and still has its task, network and sockets.
        var hasEndedRun = false
        /// The user's restarts that are under way: their exits are not the end of a container with `--rm`.
        var userRestarts = 0
        /// The pause before the last restart by policy, in milliseconds; 0 before the first.
        var restartPause = 0
        /// Probes the health; what an older turn finds does not count.
        var healthTask: Task<Void, any Error>?
        var healthTurn: UInt64 = 0
        /// The user stops it, and nobody has told of it yet.
        var isBeingStopped = false

        mutating func on(_ event: ContainerState.Event) throws(ContainerState.IllegalTransition) {
            switch event {
            case .exited, .startFailed: isAttachable = false
            default: break
            }
            try record.state.on(event)
        }
    }

    package let id: String
    let operations = OperationQueue()
    private let inner: Mutex<Inner>
    /// Held while the record is written, so that an older state never replaces a newer one; true once it is deleted.
    private let isDeleted = Mutex(false)

    init(_ record: ContainerRecord) {
        id = record.id
        inner = Mutex(Inner(record: record))
    }

    package var record: ContainerRecord { inner.withLock { $0.record } }
    package var state: ContainerState { inner.withLock { $0.record.state } }

    /// Writes the present record with `body`; does nothing once the record was deleted.
    func store<Failure: Error>(_ body: (ContainerRecord) throws(Failure) -> Void) throws(Failure) {
        try isDeleted.withLock { isDeleted throws(Failure) in if !isDeleted { try body(record) } }
    }

    /// Deletes the stored record with `body`; nothing stores it again.
    func unstore<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) {
        try isDeleted.withLock { isDeleted throws(Failure) in
            try body()
            isDeleted = true
        }
    }

    /// Changes the record; the caller stores it.
    @discardableResult
    func update(_ change: (inout ContainerRecord) -> Void) -> ContainerRecord {
        inner.withLock { inner in
            change(&inner.record)
            return inner.record
        }
    }

    /// Applies an event to the state; refused events change nothing.
    @discardableResult
    func on(_ event: ContainerState.Event, _ change: (inout ContainerRecord) -> Void = { _ in })
        throws(ContainerState.IllegalTransition) -> ContainerRecord
    {
        try inner.withLock { inner throws(ContainerState.IllegalTransition) in
            try inner.on(event)
            change(&inner.record)
            return inner.record
        }
    }

    /// Records the end of a run, and in the same step whether the restart policy begins another, so that a stop in
    /// between finds a container that is restarting.
    func onExit(
        code: Int32, at: Timestamp, oomKilled: Bool
    ) throws(ContainerState.IllegalTransition) -> ContainerRecord {
        try inner.withLock { inner throws(ContainerState.IllegalTransition) in
            try inner.on(.exited(code: code, at: at, oomKilled: oomKilled))
            inner.hasEndedRun = true
            if inner.record.wantsRestart(after: code), inner.userRestarts == 0 {
                try inner.on(.restartPlanned)
                inner.record.restartCount += 1
            }
            return inner.record
        }
    }

    /// Whether an ended run is still to be cleaned up; whoever gets `true` does it.
    func takeEndedRun() -> Bool {
        inner.withLock { inner in
            defer { inner.hasEndedRun = false }
            return inner.hasEndedRun
        }
    }
}

// MARK: Waiting

/// The answer of `wait`.
package struct WaitResult: Sendable, Equatable {
    package var exitCode: Int32
    package var message = ""
}

extension Container {
    /// One element when the condition holds, at once if it holds already.
    package func wait(_ condition: WaitCondition) -> AsyncStream<WaitResult> {
        let (stream, continuation) = AsyncStream.makeStream(of: WaitResult.self, bufferingPolicy: .bufferingNewest(1))
        let registered: UInt64? = inner.withLock { inner in
            if condition == .notRunning, !inner.record.state.isRunning {
                continuation.yield(WaitResult(exitCode: inner.record.state.exitCode))
                continuation.finish()
                return nil
            }
            inner.nextID += 1
            inner.waiters.append(Waiter(id: inner.nextID, condition: condition, continuation: continuation))
            return inner.nextID
        }
        if let registered {
            continuation.onTermination = { [weak self] _ in
                self?.inner.withLock { inner in inner.waiters.removeAll { $0.id == registered } }
            }
        }
        return stream
    }

    /// Suspends until no process runs; returns at once if there is none.
    func waitForExit() async {
        for await _ in wait(.notRunning) { return }
    }

    /// Ends the waits for these conditions.
    func finish(_ conditions: [WaitCondition], _ result: WaitResult) {
        let done = inner.withLock { inner in
            let done = inner.waiters.filter { conditions.contains($0.condition) }
            inner.waiters.removeAll { conditions.contains($0.condition) }
            return done
        }
        for waiter in done {
            waiter.continuation.yield(result)
            waiter.continuation.finish()
        }
    }
}

// MARK: Attaching before the start

extension Container {
    /// One connection when the next process is made; ends without one if there will be none. nil if the shim takes
    /// attachments already: then there is nothing to wait for.
    func attachAtStart(_ flags: AttachConnection.Flags) -> AsyncStream<AttachConnection>? {
        let (stream, continuation) = AsyncStream.makeStream(
            of: AttachConnection.self, bufferingPolicy: .bufferingNewest(1))
        let registered: UInt64? = inner.withLock { inner in
            guard !inner.isAttachable, !inner.record.state.isRunning else { return nil }
            inner.nextID += 1
            inner.pending.append(PendingAttach(id: inner.nextID, flags: flags, continuation: continuation))
            return inner.nextID
        }
        guard let id = registered else { return nil }
        continuation.onTermination = { [weak self] _ in
            self?.inner.withLock { inner in inner.pending.removeAll { $0.id == id } }
        }
        return stream
    }

    /// Connects all who wait for the start. Called when the shim listens and the process does not run yet; who comes
    /// later finds the container attachable.
    func connectPending(_ socket: FilePath) async {
        for pending in takePending(nowAttachable: true) {
            if let connection = try? await AttachConnection.open(socket, pending.flags) {
                pending.continuation.yield(connection)
            }
            pending.continuation.finish()
        }
    }

    /// How many wait for the start.
    var pendingAttachments: Int { inner.withLock { $0.pending.count } }

    func dropPending() { for pending in takePending() { pending.continuation.finish() } }

    private func takePending(nowAttachable: Bool = false) -> [PendingAttach] {
        inner.withLock { inner in
            if nowAttachable { inner.isAttachable = true }
            let pending = inner.pending
            inner.pending = []
            return pending
        }
    }
}

// MARK: Planned restarts and execs

extension Container {
    /// Whether the user restarts the container just now.
    var isBeingRestarted: Bool { inner.withLock { $0.userRestarts > 0 } }

    func beginRestart() { inner.withLock { $0.userRestarts += 1 } }

    func endRestart() { inner.withLock { $0.userRestarts -= 1 } }

    /// The pause before the next start by the restart policy: 100 ms after a run of ten seconds or more, else twice the
    /// last pause, at most a minute.
    func nextRestartPause(afterRunOf nanoseconds: Int64) -> Duration {
        inner.withLock { inner in
            let isFresh = inner.restartPause == 0 || nanoseconds > 10_000_000_000
            inner.restartPause = isFresh ? 100 : min(inner.restartPause * 2, 60_000)
            return .milliseconds(inner.restartPause)
        }
    }

    func forgetRestartPause() { inner.withLock { $0.restartPause = 0 } }

    func setRestart(_ task: Task<Void, any Error>?) { inner.withLock { $0.restart = task } }

    func cancelRestart() {
        inner.withLock { inner in
            inner.restart?.cancel()
            inner.restart = nil
        }
    }

    /// A stop by the user begins: the end of the process is its success, and told before the end itself.
    func beginStop() { inner.withLock { $0.isBeingStopped = true } }

    /// Whether a stop is to be told; whoever gets `true` does it.
    func takeStop() -> Bool {
        inner.withLock { inner in
            defer { inner.isBeingStopped = false }
            return inner.isBeingStopped
        }
    }

    // MARK: Health

    func nextHealthTurn() -> UInt64 {
        inner.withLock { inner in
            inner.healthTurn += 1
            return inner.healthTurn
        }
    }

    /// Keeps the task that probes, unless its turn is over already.
    func setHealthTask(_ turn: UInt64, _ task: Task<Void, any Error>) {
        let old = inner.withLock { inner in
            guard inner.healthTurn == turn else { return Optional(task) }
            defer { inner.healthTask = task }
            return inner.healthTask
        }
        old?.cancel()
    }

    func cancelHealthTask() {
        inner.withLock { inner in
            inner.healthTurn += 1
            inner.healthTask?.cancel()
            inner.healthTask = nil
        }
    }

    /// Changes the health if this turn of probing still counts; the change also gets the start of the run.
    func updateHealth(_ turn: UInt64, _ change: (inout Health, Timestamp) -> Void) -> ContainerRecord? {
        inner.withLock { inner in
            guard inner.healthTurn == turn, let started = inner.record.state.run?.startedAt,
                var health = inner.record.health
            else { return nil }
            change(&health, started)
            inner.record.health = health
            return inner.record
        }
    }

    // MARK: Execs

    var execIDs: [String] { inner.withLock { $0.execs } }

    func addExec(_ id: String) { inner.withLock { $0.execs.append(id) } }

    func removeExec(_ id: String) { inner.withLock { inner in inner.execs.removeAll { $0 == id } } }
}

// SPDX-License-Identifier: Apache-2.0

/// Work that several callers want done once: the first starts it, the others wait for its result. When all of them are
/// cancelled, so is the work.
actor InFlight<Key: Hashable & Sendable> {
    private struct Job {
        var task: Task<Void, any Error>
        var waiters: Int
        var serial: Int
    }

    private var jobs: [Key: Job] = [:]
    private var serial = 0

    func run(_ key: Key, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let (task, serial) = join(key, body)
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            // Lives for one hop to the actor.
            Task { await self.leave(key, serial) }
        }
        finish(key, serial)
        try Task.checkCancellation()
        try result.get()
    }

    private func join(
        _ key: Key, _ body: @escaping @Sendable () async throws -> Void
    ) -> (Task<Void, any Error>, Int) {
        if let job = jobs[key] {
            jobs[key]?.waiters += 1
            return (job.task, job.serial)
        }
        serial += 1
        // Owned by `jobs`; ends with the body, which `leave` cancels when nobody waits any more.
        let task = Task { try await body() }
        jobs[key] = Job(task: task, waiters: 1, serial: serial)
        return (task, serial)
    }

    private func leave(_ key: Key, _ serial: Int) {
        guard let job = jobs[key], job.serial == serial else { return }
        jobs[key]?.waiters -= 1
        if job.waiters == 1 { job.task.cancel() }
    }

    private func finish(_ key: Key, _ serial: Int) {
        if jobs[key]?.serial == serial { jobs[key] = nil }
    }
}

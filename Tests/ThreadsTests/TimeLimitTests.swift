// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing
import Threads

@Suite("Time limits")
struct TimeLimitTests {
    private struct Refused: Error {}

    @Test("what is done in time is returned, and so is its error")
    func inTime() async {
        #expect(await outcome(within: .seconds(60)) { 7 } == 7)
        #expect(await outcome(within: nil) { "done" } == "done")
        await #expect(throws: Refused.self) {
            try await outcome(within: .seconds(60)) { () async throws(Refused) -> Int in throw Refused() }
        }
    }

    @Test("what takes too long is cancelled and waited for")
    func tooLong() async {
        let isCancelled = Atomic(false)
        let result = await outcome(within: .milliseconds(1)) {
            try? await Task.sleep(for: .seconds(600))
            isCancelled.store(Task.isCancelled, ordering: .relaxed)
            return true
        }
        #expect(result == nil)
        let wasCancelled = isCancelled.load(ordering: .relaxed)
        #expect(wasCancelled)
    }

    @Test("the work ends with the task that wants it")
    func cancelled() async {
        let task = Task { await outcome(within: nil) { try? await Task.sleep(for: .seconds(600)) } }
        task.cancel()
        _ = await task.value
    }
}

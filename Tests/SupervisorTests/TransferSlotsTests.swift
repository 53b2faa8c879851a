// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Supervisor

struct TransferSlotsTests {
    @Test("no more run at a time than the limit says, and all have their turn")
    func limit() async throws {
        let slots = TransferSlots()
        let counts = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await slots.run(3) {
                        await counts.begin()
                        await Task.yield()
                        await counts.end()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await counts.most <= 3)
        #expect(await counts.done == 20)
    }

    private actor Counts {
        private var running = 0
        private(set) var most = 0
        private(set) var done = 0

        func begin() {
            running += 1
            most = max(most, running)
        }

        func end() {
            running -= 1
            done += 1
        }
    }

    @Test("who is cancelled while it waits leaves its turn to others")
    func cancelled() async throws {
        let slots = TransferSlots()
        let (gate, opener) = AsyncStream<Void>.makeStream()
        let first = Task { try await slots.run(1) { for await _ in gate { return } } }
        let second = Task { try await slots.run(1) { Issue.record("it was cancelled") } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        opener.yield()
        try await first.value
        #expect(try await slots.run(1) { 7 } == 7)
    }
}

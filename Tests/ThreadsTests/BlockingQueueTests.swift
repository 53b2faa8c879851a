// SPDX-License-Identifier: Apache-2.0
import Testing
import Threads

@Suite("Blocking queue")
struct BlockingQueueTests {
    private struct Failure: Error {}

    @Test("hands everything from a task to a thread in order, then ends for good")
    func order() async throws {
        let queue = BlockingQueue<Int>(capacity: 2)
        async let received = runOnThread {
            var numbers: [Int] = []
            while let number = try queue.next() { numbers.append(number) }
            let again = try queue.next()
            return (numbers, again)
        }
        for number in 0..<1000 { #expect(await queue.send(number)) }
        queue.finish()
        let (numbers, again) = try await received
        #expect(numbers == Array(0..<1000))
        #expect(again == nil)
    }

    @Test("hands everything from one thread to another")
    func threads() async throws {
        let queue = BlockingQueue<Int>(capacity: 1)
        async let sent = runOnThread {
            let all = (0..<1000).allSatisfy { queue.sendBlocking($0) }
            queue.finish()
            return all
        }
        let sum = try await runOnThread {
            var sum = 0
            while let number = try queue.next() { sum += number }
            return sum
        }
        #expect(sum == 499_500)
        #expect(try await sent)
    }

    @Test("gives what was sent before an error, then the error")
    func failure() async throws {
        let queue = BlockingQueue<Int>(capacity: 4)
        #expect(await queue.send(1))
        queue.finish(throwing: Failure())
        try await runOnThread {
            let first = try queue.next()
            #expect(first == 1)
            #expect(throws: Failure.self) { try queue.next() }
            #expect(throws: Failure.self) { try queue.next() }
        }
    }

    @Test("lets a waiting producer go when the consumer closes it")
    func close() async throws {
        let queue = BlockingQueue<Int>(capacity: 1)
        async let waiting = queue.send(1)
        try await runOnThread { _ = try queue.next() }
        queue.close()
        _ = await waiting
        #expect(await !queue.send(2))
    }
}

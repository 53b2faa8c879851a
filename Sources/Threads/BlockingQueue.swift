// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

/// A bounded queue from one producer to one consumer on a thread that may block. The producer is a task, which is
/// suspended while the queue is full, or a second thread, which is blocked.
package final class BlockingQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var isClosed = false
        var failure: (any Error)?
        /// Lets the producer go on; set while the queue is full.
        var wakeProducer: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    /// Counts elements and, once, the end.
    private let filled = DispatchSemaphore(value: 0)
    private let capacity: Int

    /// - Parameter capacity: how many elements wait at most before the producer has to.
    package init(capacity: Int) { self.capacity = capacity }

    /// Adds an element and returns when there is room for the next; false if the consumer has closed the queue.
    package func send(_ element: Element) async -> Bool {
        await withCheckedContinuation { continuation in
            add(element) { continuation.resume() }
        }
        return !isClosed
    }

    /// The same for a producer on a thread.
    package func sendBlocking(_ element: Element) -> Bool {
        let room = DispatchSemaphore(value: 0)
        add(element) { room.signal() }
        room.wait()
        return !isClosed
    }

    /// Ends the queue: the consumer gets what is in it, then nil or the error.
    package func finish(throwing error: (any Error)? = nil) {
        state.withLock {
            $0.isFinished = true
            $0.failure = error
        }
        filled.signal()
    }

    /// The next element, waited for; nil at the end, for good. Throws what `finish` was given.
    package func next() throws -> Element? {
        filled.wait()
        let (element, wake, failure) = state.withLock { state -> (Element?, (@Sendable () -> Void)?, (any Error)?) in
            guard !state.elements.isEmpty else { return (nil, nil, state.failure) }
            let element = state.elements.removeFirst()
            let wake = state.wakeProducer
            state.wakeProducer = nil
            return (element, wake, nil)
        }
        wake?()
        if element == nil { filled.signal() }  // the end stays the end
        if let failure { throw failure }
        return element
    }

    /// The consumer wants no more: what is in the queue is dropped, and so is what is sent from now on.
    package func close() {
        let wake = state.withLock { state in
            state.isClosed = true
            state.elements = []
            let wake = state.wakeProducer
            state.wakeProducer = nil
            return wake
        }
        wake?()
    }

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    private func add(_ element: Element, _ wake: @escaping @Sendable () -> Void) {
        let goesOn = state.withLock { state in
            guard !state.isClosed else { return true }
            state.elements.append(element)
            guard state.elements.count >= capacity else { return true }
            state.wakeProducer = wake
            return false
        }
        filled.signal()
        if goesOn { wake() }
    }
}

/// Runs `consume` on a thread of its own with the elements of `elements`, which it takes as it needs them: one that
/// delivers slowly keeps no thread of a pool. What `consume` leaves over is not read; cancelling ends the elements with
/// an error.
package func onThread<Elements: AsyncSequence, R: Sendable>(
    with elements: Elements, capacity: Int = 4,
    _ consume: @escaping @Sendable (@escaping @Sendable () throws -> Elements.Element?) throws -> R
) async throws -> R where Elements.Element: Sendable {
    let queue = BlockingQueue<Elements.Element>(capacity: capacity)
    async let result = runOnThread {
        defer { queue.close() }
        return try consume { try queue.next() }
    }
    do {
        for try await element in elements { guard await queue.send(element) else { break } }
        try Task.checkCancellation()  // which ends the sequence without an error
        queue.finish()
    } catch { queue.finish(throwing: error) }
    return try await result
}

// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import LinuxSystem
import Synchronization

/// Where every service reports what happened, and where `GET /events` listens. The last 256 events are kept for
/// clients that ask for the past, as dockerd does.
package final class EventHub: Sendable {
    private struct Subscriber {
        var id: UInt64
        var filters: Filters
        var continuation: AsyncStream<EventMessage>.Continuation
    }

    private struct State {
        var recent: [EventMessage] = []
        var subscribers: [Subscriber] = []
        var nextID: UInt64 = 0
        var lastTime: Int64 = 0
        var count = 0
    }

    private static let kept = 256
    /// Events that a client may be behind; then its stream ends, rather than skip events without a word.
    private static let backlog = 4096

    private let state = Mutex(State())

    package init() {}

    /// Tells every listener; never blocks. Times are strictly increasing, so that `since` finds each event once.
    package func publish(
        type: EventMessage.Kind, action: String, id: String, attributes: [(key: String, value: String)] = []
    ) {
        let dropped = state.withLock { state in
            state.lastTime = max(state.lastTime + 1, Timestamp.now.nanoseconds)
            let event = EventMessage(
                kind: type, action: action, actorID: id, attributes: attributes, nanoseconds: state.lastTime)
            state.count += 1
            state.recent.append(event)
            if state.recent.count > Self.kept { state.recent.removeFirst() }
            return state.subscribers.filter { $0.filters.isEmpty || event.passes($0.filters) }.filter { subscriber in
                if case .dropped = subscriber.continuation.yield(event) { return true }
                return false
            }
        }
        for subscriber in dropped { subscriber.continuation.finish() }  // outside the lock: it calls onTermination
    }

    /// The past events from `since` on (all that are kept if only `until` is given, none without both) and then the new
    /// ones, without a gap or a double, as far as they pass the filters. The stream ends when it is no longer iterated.
    package func subscribe(
        since: Timestamp? = nil, until: Timestamp? = nil, filters: Filters = Filters()
    ) -> AsyncStream<EventMessage> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: EventMessage.self, bufferingPolicy: .bufferingOldest(Self.backlog))
        let id = state.withLock { state in
            if since != nil || until != nil {
                for event in state.recent
                where event.nanoseconds >= since?.nanoseconds ?? 0 && event.passes(filters) {
                    continuation.yield(event)
                }
            }
            state.nextID += 1
            state.subscribers.append(Subscriber(id: state.nextID, filters: filters, continuation: continuation))
            return state.nextID
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in state.subscribers.removeAll { $0.id == id } }
        }
        return stream
    }

    /// The kept events of a span of time; without `since` from the first one.
    package func past(since: Timestamp?, until: Timestamp, filters: Filters) -> [EventMessage] {
        state.withLock(\.recent).filter { event in
            event.nanoseconds >= since?.nanoseconds ?? 0 && event.nanoseconds <= until.nanoseconds
                && event.passes(filters)
        }
    }

    /// How many events there were.
    package var eventCount: Int { state.withLock(\.count) }

    package var listenerCount: Int { state.withLock { $0.subscribers.count } }
}
